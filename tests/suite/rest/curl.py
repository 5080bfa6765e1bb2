"""As much of curl as the API guide uses, for machines that have none.

Says the status of the answer on stderr, as the test asks real curl to.
"""

import sys
import urllib.error
import urllib.request


def main(words):
    method, headers, body, address, head = None, {}, None, None, False
    words = iter(words)
    for word in words:
        if word == "-X":
            method = next(words)
        elif word == "-H":
            name, value = next(words).split(":", 1)
            headers[name] = value.strip()
        elif word == "-d":
            body = next(words).encode()
        elif word.startswith("-"):
            head = head or "i" in word
        else:
            address = word
    request = urllib.request.Request(address, body, headers, method=method)
    try:
        answer = urllib.request.urlopen(request)
    except urllib.error.HTTPError as error:
        answer = error
    if head:
        print(f"HTTP/1.1 {answer.status}\n{answer.headers}", end="")
    sys.stdout.write(answer.read().decode())
    sys.stdout.flush()
    print(f"status {answer.status}", file=sys.stderr)


main(sys.argv[1:])
