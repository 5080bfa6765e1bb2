//! The document says what the code does.

use super::*;

const SHOW: (&str, &str) = ("get", "/v1/things/{thingId}");
const MAKE: (&str, &str) = ("post", "/v1/things");

async fn document() -> Value {
    let stand = Stand::new().await;
    let answer = stand.send("GET /openapi.json HTTP/1.1\r\n", "").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    answer.body
}

async fn operation((method, path): (&str, &str)) -> Value {
    document().await["paths"][path][method].take()
}

fn keys(object: &Value) -> Vec<&str> {
    let keys = object.as_object().expect("an object").keys();
    keys.map(String::as_str).collect()
}

#[tokio::test]
async fn the_document_is_served_to_everybody() {
    let document = document().await;
    assert_eq!(document["openapi"], "3.1.0");
    let paths = [
        "/v1/fall",
        "/v1/sleep",
        "/v1/things",
        "/v1/things/{thingId}",
    ];
    assert_eq!(keys(&document["paths"]), paths);
    let security = &document["components"]["securitySchemes"]["token"];
    assert_eq!(security["scheme"], "bearer");
    for code in Code::ALL {
        let known = document["components"]["schemas"]["ProblemCode"].to_string();
        assert!(known.contains(code.as_str()), "{}", code.as_str());
    }
}

#[tokio::test]
async fn parameters_follow_from_their_types() {
    let show = operation(SHOW).await;
    let expected = json!([
        {
            "name": "thingId", "in": "path", "required": true, "description": "Which thing.",
            "schema": { "type": "string", "format": "uuid" },
        },
        {
            "name": "count", "in": "query", "required": true, "description": "How many.",
            "schema": { "type": "integer", "format": "uint8", "minimum": 0, "maximum": 255 },
        },
        {
            "name": "colour", "in": "query", "required": false,
            "description": "In which colour.",
            "schema": { "$ref": "#/components/schemas/Colour" },
        },
    ]);
    let by_name = |value: &Value| {
        let mut list = value.as_array().expect("parameters").clone();
        list.sort_by_key(|parameter| parameter["name"].to_string());
        list
    };
    assert_eq!(by_name(&show["parameters"]), by_name(&expected));
    let make = operation(MAKE).await;
    let names = make["parameters"].as_array().expect("parameters").iter();
    let names: Vec<_> = names.map(|header| header["name"].as_str()).collect();
    assert_eq!(names, [Some("If-Match"), Some("Idempotency-Key")]);
    let body = &make["requestBody"]["content"]["application/json"]["schema"]["$ref"];
    assert_eq!(body, "#/components/schemas/NewThing");
}

#[tokio::test]
async fn every_answer_is_there_with_its_codes_and_headers() {
    let show = operation(SHOW).await;
    let statuses = ["200", "400", "401", "403", "404", "429", "500", "503"];
    assert_eq!(keys(&show["responses"]), statuses);
    let codes = |status: &str| {
        let response = &show["responses"][status];
        // Whatever its code, it is the one schema with a name: generators tell no others apart.
        let schema = &response["content"]["application/problem+json"]["schema"];
        assert_eq!(*schema, json!({ "$ref": "#/components/schemas/Problem" }));
        response["x-codes"].clone()
    };
    assert_eq!(codes("404"), json!(["not_found"]));
    assert_eq!(codes("401"), json!(["no_credentials", "invalid_token"]));
    let headers = |status: &str| show["responses"][status]["headers"].clone();
    assert!(headers("200")["ETag"].is_object() && headers("200")["X-Request-Id"].is_object());
    assert!(headers("429")["Retry-After"].is_object());
    assert!(headers("401")["WWW-Authenticate"].is_object());
    let statuses = [
        "201", "400", "401", "403", "408", "412", "413", "415", "422", "429", "500", "503",
    ];
    assert_eq!(keys(&operation(MAKE).await["responses"]), statuses);
}
