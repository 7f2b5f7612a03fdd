//! Which pages may ask. A browser says with every request from a page of another origin, and with every socket, where the
//! page is from; who says nothing is no page.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue, Method, header},
    middleware::{self, Next},
    response::Response,
    routing::MethodRouter,
};
use tower_http::cors::{AllowOrigin, CorsLayer};
use url::{Host, Url};

use super::{PURPOSE, REQUEST_ID, Web, graphql};

/// How long a browser may keep what a preflight said.
const PREFLIGHT_KEPT_FOR: Duration = Duration::from_secs(600);

/// See the module.
#[derive(Clone, Debug)]
pub struct Origins {
    listed: Arc<[String]>,
    /// Whether any page of this machine may ask.
    here: bool,
}

impl Origins {
    /// These pages and no other; in development, when none is listed, any page of this machine.
    pub fn new(listed: &[String], development: bool) -> Self {
        Self { listed: listed.into(), here: development && listed.is_empty() }
    }

    fn allow(&self, origin: &HeaderValue) -> bool {
        let Ok(origin) = origin.to_str() else { return false };
        self.listed.iter().any(|one| one == origin) || (self.here && is_here(origin))
    }
}

fn is_here(origin: &str) -> bool {
    let Ok(url) = Url::parse(origin) else { return false };
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// Refuses foreign pages before anything else, and answers the preflights of the others.
pub(super) fn guard(routes: MethodRouter<Arc<Web>, Infallible>, web: &Arc<Web>) -> MethodRouter<Arc<Web>, Infallible> {
    let origins = web.origins.clone();
    let cors = CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(move |origin, _| origins.allow(origin)))
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([
            header::ACCEPT,
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            PURPOSE,
            REQUEST_ID,
            HeaderName::from_static("apollo-require-preflight"),
        ])
        .expose_headers([REQUEST_ID, header::RETRY_AFTER])
        .max_age(PREFLIGHT_KEPT_FOR);
    // What is added last is asked first.
    routes.layer(cors).layer(middleware::from_fn_with_state(Arc::clone(web), check))
}

async fn check(State(web): State<Arc<Web>>, request: Request, next: Next) -> Response {
    if request.headers().get_all(header::ORIGIN).iter().any(|origin| !web.origins.allow(origin)) {
        return graphql::foreign_origin();
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_compared_whole() {
        let origins = Origins::new(&["https://app.example.org".to_owned()], true);
        let allows = |origin: &'static str| origins.allow(&HeaderValue::from_static(origin));
        assert!(allows("https://app.example.org"));
        for other in [
            "null",
            "",
            "http://app.example.org",
            "https://app.example.org:8443",
            "https://app.example.org.evil.example",
            "https://evil.example/https://app.example.org",
            "https://APP.example.org",
            "http://localhost:5173",
        ] {
            assert!(!allows(other), "{other}");
        }
    }

    #[test]
    fn without_a_list_pages_of_this_machine_may_ask_in_development_only() {
        let asks = |development: bool, origin: &'static str| {
            Origins::new(&[], development).allow(&HeaderValue::from_static(origin))
        };
        for here in ["http://localhost:5173", "http://127.0.0.1:3000", "http://[::1]", "https://app.localhost"] {
            assert!(asks(true, here) && !asks(false, here), "{here}");
        }
        for other in ["http://localhost.evil.example", "https://example.org", "null", "file://"] {
            assert!(!asks(true, other), "{other}");
        }
    }
}
