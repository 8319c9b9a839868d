//! The line of a mountain village, with the real client and the real server on its ends.

use std::path::Path;
use std::time::Duration;

use wanhu_core::client::Cancel;
use wanhu_tests::line::Line;
use wanhu_tests::population::{FULING, household};
use wanhu_tests::seeded::Seeded;
use wanhu_tests::server::TestServer;
use wanhu_tests::tally::Tally;

/// A day's work in the mountains: 20 households, 60 changes, over a line of 64 kbit/s.
async fn days_work(server: &TestServer, dir: &Path, rtt_ms: u64, lost_percent: u8) -> Duration {
    let line = Line {
        rtt: Duration::from_millis(rtt_ms),
        rate_bytes_per_s: Some(8_000),
        lost_percent,
        cut_after_bytes: None,
    };
    let line = line.open(server.address).await.unwrap();
    let (account, url) = (format!("cadre{rtt_ms}"), format!("http://{}", line.address()));
    let enrolled = server.phone(&dir.join(&account), &account, &[FULING], &url).await;
    let (phone, enrolment_bytes) = (enrolled.unwrap().0, line.bytes_up());
    let mut rng = Seeded(rtt_ms);
    let mut sent = 0;
    for _ in 0..20 {
        let id = phone.create_household(FULING, household(&mut rng, FULING)).unwrap();
        for visit in 0..2 {
            let note = format!("第{visit}次走访,情况稳定");
            phone.record_visit(id, vec![("note".into(), note.as_str().into())]).unwrap();
        }
        sent += 3;
    }
    let began = tokio::time::Instant::now();
    let report = phone.sync(&(), &Cancel::default()).await.unwrap();
    assert_eq!((report.receipts, report.refused), (sent, 0));
    assert_eq!(phone.status().unwrap().pending, 0);
    let up_bytes = line.bytes_up() - enrolment_bytes;
    assert!(up_bytes < 20_000, "sent more than once: {up_bytes} bytes");
    began.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_days_work_passes_a_line_that_loses_up_to_every_third_segment() {
    let tally = Tally::begin("R6", "64 kbit/s, 300 to 2,000 ms, 20 to 30 % of the segments lost");
    let server = TestServer::start().await;
    let dir = tempfile::tempdir().unwrap();
    let (near, far, farthest) = tokio::join!(
        days_work(&server, dir.path(), 300, 20),
        days_work(&server, dir.path(), 1_000, 25),
        days_work(&server, dir.path(), 2_000, 30),
    );
    tally.passed(&format!(
        "3 lines, a day's work in {} s, {} s, {} s",
        near.as_secs(),
        far.as_secs(),
        farthest.as_secs()
    ));
}
