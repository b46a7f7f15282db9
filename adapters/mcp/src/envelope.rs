//! The JSON-RPC envelope of a message, checked before the engine sees it, which would answer a
//! malformed one with plain text (JSON-RPC 2.0 §4 and §5.1, MCP basic/index).

use std::borrow::Cow;

use rmcp::model::{ErrorCode, RequestId};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::call_target::Target;

/// What every revision before 2026-07-28 has, and none since (its basic/versioning). So is
/// `initialize`, by which a client of both eras may yet open a session.
const REMOVED: [&str; 4] =
    ["ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe"];

/// Why what is removed is not done.
pub(crate) const NO_SUCH_METHOD: &str = "there is no such method in this revision";

/// How many messages a batch has at most.
const MOST_IN_A_BATCH: usize = 50;

/// Which revisions a message may be of, as far as its transport says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Era {
    /// Those before 2026-07-28, or it is not known.
    OfSessions,
    /// 2026-07-28 and later.
    Stateless,
}

/// A well-formed message, as far as routing it needs to know.
#[derive(Debug)]
pub(crate) enum Envelope<'a> {
    /// Expects an answer.
    Request {
        /// Echoed in the answer.
        id: RequestId,
        /// What to do.
        method: Cow<'a, str>,
        /// What must be authorized first, if anything.
        target: Option<Target<'a>>,
    },
    /// Expects no answer.
    Notification,
    /// Answers a request of the server.
    Answer,
}

/// A message that is not well-formed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed {
    /// JSON-RPC 2.0 §5.1.
    pub(crate) code: ErrorCode,
    /// The id of the message, if one could be read.
    pub(crate) id: Option<RequestId>,
    /// What is wrong.
    pub(crate) reason: &'static str,
}

/// The members of a message; `null` is told apart from absent.
#[derive(Deserialize)]
struct Members<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    jsonrpc: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    method: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    params: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    result: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// Checks the envelope of a message.
///
/// # Errors
/// [`Malformed`], to be answered with HTTP 400.
pub(crate) fn read(body: &[u8], era: Era) -> Result<Envelope<'_>, Malformed> {
    let members = members(body)?;
    let id = members.id.and_then(legible_id);
    let refuse = |reason| Malformed { code: ErrorCode::INVALID_REQUEST, id: id.clone(), reason };
    if members.jsonrpc.map(RawValue::get) != Some("\"2.0\"") {
        return Err(refuse("\"jsonrpc\" must be \"2.0\""));
    }
    let unanswerable = members.id.is_some() && id.is_none();
    let Some(method) = members.method else {
        let answers = members.result.is_some() != members.error.is_some();
        // An error whose request could not be read has no id, or null.
        let named = id.is_some() || (members.error.is_some() && members.id.is_none_or(is_null));
        return if answers && named {
            Ok(Envelope::Answer)
        } else {
            Err(refuse("a message has a \"method\", or an \"id\" with a \"result\" or \"error\""))
        };
    };
    if unanswerable {
        return Err(refuse("\"id\" must be a string or an integer"));
    }
    let Ok(Text(method)) = serde_json::from_str(method.get()) else {
        return Err(refuse("\"method\" must be a string"));
    };
    if era == Era::Stateless && REMOVED.contains(&&*method) {
        return Err(Malformed { code: ErrorCode::METHOD_NOT_FOUND, id, reason: NO_SUCH_METHOD });
    }
    if members.params.is_some_and(|params| !is_object(params)) {
        let reason = "\"params\" must be an object";
        return Err(Malformed { code: ErrorCode::INVALID_PARAMS, id, reason });
    }
    let Some(id) = id else { return Ok(Envelope::Notification) };
    match Target::of(&method, members.params) {
        Ok(target) => Ok(Envelope::Request { id, method, target }),
        Err(reason) => Err(Malformed { code: ErrorCode::INVALID_PARAMS, id: Some(id), reason }),
    }
}

fn members(body: &[u8]) -> Result<Members<'_>, Malformed> {
    let no_message =
        (ErrorCode::INVALID_REQUEST, "a message is one JSON object, no member of it repeated");
    let (code, reason) = match serde_json::from_slice(body) {
        // serde would fill a struct from an array too.
        Ok(members) if body.trim_ascii_start().starts_with(b"{") => return Ok(members),
        Ok(_) => no_message,
        Err(error) if error.is_data() => no_message,
        Err(_) => (ErrorCode::PARSE_ERROR, "the body is not JSON"),
    };
    Err(Malformed { code, id: None, reason })
}

/// Whether a body is more than one message, or tries to be.
pub(crate) fn is_batch(body: &[u8]) -> bool {
    body.trim_ascii_start().starts_with(b"[")
}

/// The messages of a batch, not looked at yet (JSON-RPC 2.0 §6).
///
/// # Errors
/// [`Malformed`], to be answered with HTTP 400.
pub(crate) fn batch(body: &[u8]) -> Result<Vec<&RawValue>, Malformed> {
    let refuse = |code, reason| Malformed { code, id: None, reason };
    let messages: Vec<&RawValue> = serde_json::from_slice(body)
        .map_err(|_| refuse(ErrorCode::PARSE_ERROR, "the body is not JSON"))?;
    if messages.is_empty() {
        return Err(refuse(ErrorCode::INVALID_REQUEST, "a batch is not empty"));
    }
    if messages.len() > MOST_IN_A_BATCH {
        return Err(refuse(ErrorCode::INVALID_REQUEST, "the batch has too many messages"));
    }
    Ok(messages)
}

/// The engine's own reading of an id, so that both agree on what one is.
fn legible_id(id: &RawValue) -> Option<RequestId> {
    serde_json::from_str(id.get()).ok()
}

fn is_object(value: &RawValue) -> bool {
    value.get().starts_with('{')
}

fn is_null(value: &RawValue) -> bool {
    value.get() == "null"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn older(body: &[u8]) -> Result<Envelope<'_>, Malformed> {
        read(body, Era::OfSessions)
    }

    fn refusal(body: &str) -> (i32, Option<RequestId>) {
        let malformed = older(body.as_bytes()).expect_err(body);
        (malformed.code.0, malformed.id)
    }

    fn number(id: i64) -> Option<RequestId> {
        Some(RequestId::Number(id))
    }

    #[test]
    fn what_is_not_json_is_a_parse_error_without_id() {
        for body in ["", "{", "hello", "{\"id\":1,}", "{} {}", "\u{feff}{}"] {
            assert_eq!(refusal(body), (-32700, None), "{body}");
        }
        assert_eq!(older(b"{\"id\":\"\xff\"}").unwrap_err().code.0, -32700);
    }

    #[test]
    fn what_is_no_message_is_an_invalid_request() {
        for (body, id) in [
            ("[]", None),
            (r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, None),
            (r#"["2.0"]"#, None),
            (r#"["2.0",1,"ping"]"#, None),
            (r#" ["2.0",1,"tools/call",{"name":"a"}]"#, None),
            (r#"["2.0",1,null,null,{}]"#, None),
            ("7", None),
            (r#"{"id":1,"method":"ping"}"#, number(1)),
            (r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, number(1)),
            (r#"{"jsonrpc":"2.0","id":1}"#, number(1)),
            (r#"{"jsonrpc":"2.0","id":1,"method":null}"#, number(1)),
            (r#"{"jsonrpc":"2.0","id":1,"method":5}"#, number(1)),
            (r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{}}"#, number(1)),
            (r#"{"jsonrpc":"2.0","result":{}}"#, None),
            (r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}"#, None),
        ] {
            assert_eq!(refusal(body), (-32600, id), "{body}");
        }
    }

    #[test]
    fn an_id_is_a_string_or_an_integer() {
        for id in ["null", "true", "1.5", "[]", "{}", "1e99"] {
            let body = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
            assert_eq!(refusal(&body), (-32600, None), "{id}");
        }
        for id in ["0", "-7", "\"a\"", "\"\""] {
            let body = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
            assert!(matches!(older(body.as_bytes()), Ok(Envelope::Request { .. })), "{id}");
        }
    }

    #[test]
    fn params_are_an_object_and_those_of_a_call_name_one_tool() {
        let call = |params: &str| {
            format!(r#"{{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{params}}}"#)
        };
        for params in ["[]", "null", "7", "{}", r#"{"name":7}"#, r#"{"name":"a","arguments":[]}"#] {
            assert_eq!(refusal(&call(params)), (-32602, number(3)), "{params}");
        }
        assert_eq!(refusal(&call(r#"{"name":"a","name":"b"}"#)), (-32602, number(3)));
        let body = call(r#"{"n\u0061me":"\u0061","arguments":null}"#);
        let Ok(Envelope::Request { target, .. }) = older(body.as_bytes()) else { panic!("{body}") };
        assert_eq!(target, Some(Target::Tool("a".into())));
    }

    #[test]
    fn notifications_and_answers_are_told_apart() {
        let notification = br#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
        assert!(matches!(older(notification), Ok(Envelope::Notification)));
        for answer in [
            r#"{"jsonrpc":"2.0","id":1,"result":{}}"#,
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":""}}"#,
            r#"{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":""}}"#,
        ] {
            assert!(matches!(older(answer.as_bytes()), Ok(Envelope::Answer)), "{answer}");
        }
    }

    #[test]
    fn what_2026_07_28_has_not_is_no_method_of_it_whatever_the_params() {
        for method in REMOVED {
            for params in ["", r#","params":{}"#, r#","params":7"#] {
                let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}"{params}}}"#);
                let malformed = read(body.as_bytes(), Era::Stateless).unwrap_err();
                assert_eq!((malformed.code.0, malformed.id), (-32601, number(1)), "{body}");
            }
        }
        let ping = br#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
        assert!(older(ping).is_ok());
    }
}
