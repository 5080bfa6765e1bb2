//! The W3C `traceparent` header: which trace a receipt belongs to.

use opentelemetry::{
    Context,
    trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState},
};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The caller's span that `header` names; `None` if it does not follow the standard. Versions
/// after 00 may be longer, what they add is ignored.
#[must_use]
pub fn parse(header: &str) -> Option<SpanContext> {
    let mut parts = header.trim().split('-');
    let (version, trace, span, flags) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let more = parts.next().is_some();
    let version = u8::try_from(hex(version, 2)?).ok()?;
    if version == 0xff || (version == 0 && more) {
        return None;
    }
    let trace = TraceId::from(hex(trace, 32)?);
    let span = SpanId::from(u64::try_from(hex(span, 16)?).ok()?);
    let flags = TraceFlags::new(u8::try_from(hex(flags, 2)?).ok()?) & TraceFlags::SAMPLED;
    let context = SpanContext::new(trace, span, flags, true, TraceState::NONE);
    context.is_valid().then_some(context)
}

/// Hangs `span` on the caller's span that `header` names. Does nothing without a valid header or
/// without tracing. To be called before the span is first entered.
pub fn adopt(span: &Span, header: &str) {
    if span.is_disabled() {
        return;
    }
    if let Some(parent) = parse(header) {
        // It fails only where no trace is kept, and then there is nothing to hang on.
        let _ = span.set_parent(Context::new().with_remote_span_context(parent));
    }
}

/// The header that continues `span`'s trace; `None` if it has none.
#[must_use]
pub fn of(span: &Span) -> Option<String> {
    let context = span.context();
    let reference = context.span();
    let span = reference.span_context();
    let flags = span.trace_flags().to_u8();
    let header = || format!("00-{}-{}-{flags:02x}", span.trace_id(), span.span_id());
    span.is_valid().then(header)
}

/// Lower-case hexadecimal of exactly `digits` digits.
fn hex(text: &str, digits: usize) -> Option<u128> {
    let lower = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let good = text.len() == digits && text.bytes().all(lower);
    good.then(|| u128::from_str_radix(text, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_valid_header_is_the_callers_span() {
        let header = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let span = parse(header).expect("valid");
        assert_eq!(
            span.trace_id().to_string(),
            "0af7651916cd43dd8448eb211c80319c"
        );
        assert_eq!(span.span_id().to_string(), "b7ad6b7169203331");
        assert!(span.is_sampled() && span.is_remote());
        let unsampled = parse(&header.replace("-01", "-00")).expect("valid");
        assert!(!unsampled.is_sampled());
        assert!(
            parse(&format!("cc{}-more", &header[2..])).is_some(),
            "a later version"
        );
    }

    #[test]
    fn anything_else_is_no_span() {
        for wrong in [
            "",
            "00",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-+af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319-b7ad6b71692033312-01",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
