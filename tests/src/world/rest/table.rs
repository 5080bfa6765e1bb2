//! Tables, which are read as they come.

use http_body_util::{BodyExt as _, Full};
use hyper::{
    Request,
    header::{ACCEPT, AUTHORIZATION},
};

use super::{Fault, RestClient};

impl RestClient {
    /// Asks for a table and hands over its bytes piece by piece, keeping none.
    ///
    /// # Errors
    /// There is no answer, it is a refusal, or it breaks off.
    pub async fn table(&self, path: &str, mut take: impl FnMut(&[u8])) -> Result<(), Fault> {
        let mut request = Request::get(format!("{}{path}", self.rest.base));
        request = request.header(ACCEPT, "text/csv");
        if let Some(token) = self.token().await? {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Full::default())?;
        let answer = self.rest.http.request(request).await?;
        if answer.status() != 200 {
            return Err(format!("the API answers {}", answer.status()).into());
        }
        let mut body = answer.into_body();
        while let Some(frame) = body.frame().await {
            if let Some(data) = frame?.data_ref() {
                take(data);
            }
        }
        Ok(())
    }
}
