//! What containers wrote.

use bollard::query_parameters::LogsOptions;
use futures_util::stream::TryStreamExt;
use jiff::Timestamp;

use super::Docker;
use crate::host::HostError;

impl Docker {
    /// The last lines that a container wrote, on both of its outputs.
    ///
    /// # Errors
    /// When the engine does not answer, or keeps no logs of it.
    pub(crate) async fn last_lines(&self, id: &str, most: usize) -> Result<Vec<String>, HostError> {
        self.lines_since(id, most, None).await
    }

    /// The same of what it wrote since a moment.
    ///
    /// # Errors
    /// As [`Self::last_lines`].
    pub(crate) async fn lines_since(
        &self,
        id: &str,
        most: usize,
        since: Option<Timestamp>,
    ) -> Result<Vec<String>, HostError> {
        let since = since.and_then(|since| i32::try_from(since.as_second()).ok());
        let options = LogsOptions {
            stdout: true,
            stderr: true,
            tail: most.to_string(),
            since: since.unwrap_or_default(),
            ..LogsOptions::default()
        };
        let doing = || format!("read what container {id} wrote");
        let chunks = self.engine.logs(id, Some(options)).try_collect::<Vec<_>>();
        let chunks = self.line.request(doing, chunks).await?;
        let bytes: Vec<u8> = chunks
            .iter()
            .flat_map(|chunk| chunk.as_ref().to_vec())
            .collect();
        let text = String::from_utf8_lossy(&bytes);
        Ok(text.lines().map(str::to_owned).collect())
    }
}
