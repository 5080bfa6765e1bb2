"""A program on the generated Python client: sets a price, asks for usage, asks every question there
is, and tells problems apart.

    python use.py BASE DOCUMENT ADMIN_TOKEN CUSTOMER_TOKEN ACCOUNT OPERATOR
"""

import datetime
import enum
import importlib
import inspect
import json
import pkgutil
import sys
import typing
import uuid

import tollbook_client.api
from tollbook_client import AuthenticatedClient
from tollbook_client.models import AccountTier, CurrencyCode, NewPrice, PricingModel, Problem

BASE, DOCUMENT, ADMIN, CUSTOMER, ACCOUNT, OPERATOR = sys.argv[1:]


def caller(token):
    return AuthenticatedClient(base_url=BASE, token=token)


def operations():
    """Every module of an operation by its name."""
    found = {}
    for package in pkgutil.iter_modules(tollbook_client.api.__path__, "tollbook_client.api."):
        inside = importlib.import_module(package.name)
        for module in pkgutil.iter_modules(inside.__path__, package.name + "."):
            found[module.name.rsplit(".", 1)[1]] = importlib.import_module(module.name)
    return found


def value(hint):
    """Something of this type, for a parameter that is needed."""
    kinds = typing.get_args(hint) or (hint,)
    for kind in kinds:
        if kind is uuid.UUID:
            return uuid.uuid4()
        if kind is datetime.datetime:
            return datetime.datetime.now(datetime.timezone.utc)
        if kind is datetime.date:
            return datetime.date(2026, 3, 1)
        if isinstance(kind, type) and issubclass(kind, enum.Enum):
            return next(iter(kind))
        if kind is int:
            return 1
    return "2026-03-01"


def ask(module, client):
    """Calls an operation with what it needs and nothing else."""
    given = inspect.signature(module.sync_detailed).parameters
    hints = typing.get_type_hints(module.sync_detailed)
    needed = [name for name, one in given.items() if one.default is inspect.Parameter.empty]
    words = {name: value(hints[name]) for name in needed if name != "client"}
    return module.sync_detailed(client=client, **words)


def main():
    document = json.load(open(DOCUMENT))
    methods = {
        operation["operationId"]: method
        for path in document["paths"].values()
        for method, operation in path.items()
    }
    modules = operations()
    assert len(modules) == len(methods), (sorted(modules), sorted(methods))
    api = caller(ADMIN)

    body = NewPrice(
        account_tier=AccountTier.GROWTH, operator_id=uuid.UUID(OPERATOR), unit_price="0.045",
        pricing_model=PricingModel.PER_SEGMENT, currency=CurrencyCode.EUR,
    )
    price = modules["open_price"].sync(client=api, body=body)
    shown = modules["show_price"].sync(client=api, pricing_table_id=price.pricing_table_id)
    assert shown.unit_price == "0.045000", shown
    day = datetime.date(2026, 3, 1)
    usage = modules["show_usage"].sync(client=caller(CUSTOMER), from_=day, to=day)
    assert str(usage.account_id) == ACCOUNT and usage.by_currency == [], usage

    names = {name.replace("_", ""): module for name, module in modules.items()}
    asked = 0
    for name, method in methods.items():
        if method != "get":
            continue
        answer = ask(names[name.lower()], api)
        refused = answer.status_code >= 400
        assert isinstance(answer.parsed, Problem) == refused, (name, answer)
        assert answer.parsed is not None and answer.status_code < 500, (name, answer)
        asked += 1
    assert asked >= 7, asked
    print(f"asked {asked}")


main()
