//! A family declares with its own telephone: the page's requests, the code that the gateway fetches, the cadre's phone
//! that finds the task, and the help that the family then sees. And what somebody else's telephone gets.

use reqwest::{Client, Method, StatusCode};
use serde_json::json;

use super::*;

pub(super) const TELEPHONE: &str = "13807351234";
pub(super) const OTHER_TELEPHONE: &str = "13907355678";

/// A browser at the server.
pub(super) struct Browser<'c> {
    county: &'c County,
    client: Client,
    token: String,
}

impl<'c> Browser<'c> {
    pub(super) fn at(county: &'c County) -> Self {
        // Whichever test comes first has installed it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self { county, client: Client::new(), token: String::new() }
    }

    async fn ask(&self, method: Method, path: &str, body: Json) -> (StatusCode, Json) {
        let url = format!("{}{path}", self.county.server.url());
        let mut request = self.client.request(method, url).bearer_auth(&self.token);
        if !body.is_null() {
            request = request.body(body.to_string());
        }
        let response = request.send().await.unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        (status, if text.is_empty() { Json::Null } else { serde_json::from_str(&text).unwrap() })
    }

    async fn post(&self, path: &str, body: Json) -> (u16, Json) {
        let (status, answer) = self.ask(Method::POST, path, body).await;
        (status.as_u16(), answer)
    }

    async fn record(&self) -> Json {
        let (status, record) = self.ask(Method::GET, "/v1/household/record", Json::Null).await;
        assert_eq!(status, StatusCode::OK, "{record}");
        record
    }

    /// The code of the only message in the outbox, which the gateway takes away.
    pub(super) fn code(&self) -> String {
        let outbox = self.county.server.settings.data_dir.join("outbox");
        let files: Vec<_> = std::fs::read_dir(outbox).unwrap().flatten().collect();
        assert_eq!(files.len(), 1);
        let message: Json =
            serde_json::from_slice(&std::fs::read(files[0].path()).unwrap()).unwrap();
        std::fs::remove_file(files[0].path()).unwrap();
        let fields: Vec<_> = message.as_object().unwrap().keys().collect();
        assert_eq!(fields, ["code", "telephone", "text"], "a message names nobody");
        message["code"].as_str().unwrap().to_owned()
    }

    /// Signs in; whether the caller's own record is there.
    async fn sign_in(&mut self, telephone: &str, name: &str, number: &str) -> bool {
        let asked = self.post("/v1/household/codes", json!({ "telephone": telephone })).await;
        assert_eq!(asked.0, 202, "{}", asked.1);
        let code = self.code();
        let who = json!({
            "telephone": telephone, "code": code, "name": name, "identity_number": number
        });
        let (status, session) = self.post("/v1/household/sessions", who.clone()).await;
        assert_eq!(status, 201, "{session}");
        let again = self.post("/v1/household/sessions", who).await;
        assert_eq!(
            (again.0, &again.1["code"]),
            (403, &"code_unknown".into()),
            "a code is good once"
        );
        self.token = session["token"].as_str().unwrap().to_owned();
        session["on_record"].as_bool().unwrap()
    }
}

pub(super) async fn family_on_record() -> (County, Ledger, HouseholdId) {
    on_record(family().set("basic", "phone", format!("+86 {TELEPHONE}"))).await
}

fn illness(note: &str) -> Json {
    json!({ "risks": ["illness"], "note": note, "consents": true })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_family_declares_follows_its_case_and_confirms_its_help() {
    let (county, li, id) = family_on_record().await;
    let mut family = Browser::at(&county);
    assert!(family.sign_in(TELEPHONE, "周 长根", NUMBER).await);
    assert_eq!(family.record().await["case"], json!([]));

    let declared = family.post("/v1/household/declarations", illness("上月住院")).await;
    assert_eq!(declared, (201, json!({ "outcome": "recorded" })));
    let again = family.post("/v1/household/declarations", illness("上月住院")).await;
    assert_eq!(again, (201, json!({ "outcome": "known" })), "one clue a person and risk");

    // The responsible cadre's phone has the task at its next sync, and who said it.
    assert_eq!(sync(&li).await.refused, 0);
    assert_eq!(kinds(&li.tasks().unwrap()), [TaskKind::Verify]);
    let case = li.case(id).unwrap();
    assert_eq!(case.path[0].steps[0].stamp.name, "周长根");
    assert!(case.path[0].steps[0].stamp.account.starts_with("h-"));
    let shown = county.office("乡政府", AdminCommand::Show { household: id }).unwrap().to_string();
    assert!(shown.contains("declaration") && shown.contains("上月住院"), "{shown}");

    // It goes its way; the notice hangs, and the family objects to it.
    take(&li, id, Stage::Verified, typed(&["visits.date=2024-03-04", "visits.met=户主"]));
    sync(&li).await;
    let objected = json!({ "reason": "家里还有一个学生" });
    let early = family.post("/v1/household/objections", objected.clone()).await;
    assert_eq!(
        (early.0, &early.1["details"][0]),
        (409, &"not_from_here".into()),
        "nothing hangs yet"
    );
    let votes = Step { votes: Some((9, 0)), ..Step::default() };
    county.step("村委会", id, "民主评议", votes).unwrap();
    county.step("村委会", id, "村内公示", Step::default()).unwrap();
    assert_eq!(family.record().await["may_object"], true);
    assert_eq!(family.post("/v1/household/objections", objected.clone()).await.0, 201);
    let again = family.post("/v1/household/objections", objected).await;
    assert_eq!(again, (200, json!({ "outcome": "known" })));
    county.day("2024-03-11");
    let held = county.step("乡政府", id, "乡镇审核", Step::default());
    assert_eq!(held, Err("illegal_step"), "it holds the case");
    let case = county.office("乡政府", AdminCommand::Case { household: id }).unwrap();
    assert_eq!(case["objections"].as_array().unwrap().len(), 1);

    // A measure, seen with what it brings in the year, and confirmed once. The session is over by now.
    fill_in(
        &county,
        "县局",
        id,
        &[
            "measures.kind=综合保障",
            "measures.title=低保",
            "measures.status=正在落实",
            "measures.amount_fen=50000",
            "measures.period=每月",
            "measures.from=2024-01-01",
        ],
    );
    let over = family.ask(Method::GET, "/v1/household/record", Json::Null).await;
    assert_eq!((over.0.as_u16(), &over.1["code"]), (401, &"session_unknown".into()));
    assert!(family.sign_in(TELEPHONE, "周长根", NUMBER).await);
    let record = family.record().await;
    assert_eq!(
        (&record["year_fen"], &record["measures"][0]["confirmed"]),
        (&600_000.into(), &false.into())
    );
    let stages: Vec<_> = record["case"].as_array().unwrap().iter().map(|s| &s["stage"]).collect();
    assert_eq!(stages, ["clue", "verified", "appraised", "on_notice"]);
    let measure = json!({ "measure": record["measures"][0]["row"] });
    assert_eq!(family.post("/v1/household/confirmations", measure.clone()).await.0, 201);
    assert_eq!(family.post("/v1/household/confirmations", measure).await.0, 200);
    assert_eq!(family.record().await["measures"][0]["confirmed"], true);
    let none = family.post("/v1/household/confirmations", json!({ "measure": "x" })).await;
    assert_eq!(none.0, 422);
    // Its own record and nobody else's words about it.
    let text = record.to_string();
    assert!(!text.contains(NUMBER) && !text.contains(TELEPHONE), "{text}");

    let ended = family.ask(Method::DELETE, "/v1/household/sessions", Json::Null).await;
    assert_eq!(ended.0, StatusCode::NO_CONTENT);
    let gone = family.ask(Method::GET, "/v1/household/record", Json::Null).await;
    assert_eq!(gone.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_family_and_its_cadre_declare_the_same_without_knowing_of_each_other() {
    let (county, li, id) = family_on_record().await;
    // In the yard, without signal, the cadre writes down what the family says.
    let clue = ["clues.channel=自主申报", "clues.risk=因病", "clues.received_on=2024-03-04"];
    let told = RecordEdit { on_behalf_of: "周长根".into(), ..typed(&clue) };
    take(&li, id, Stage::Clue, told);
    // In the evening the family, who does not trust that it was sent, says it again by telephone.
    let mut family = Browser::at(&county);
    assert!(family.sign_in(TELEPHONE, "周长根", NUMBER).await);
    let declared = family.post("/v1/household/declarations", illness("上月住院")).await;
    assert_eq!(declared, (201, json!({ "outcome": "recorded" })));
    assert_eq!(sync(&li).await.refused, 0);
    let case = li.case(id).unwrap();
    assert_eq!(case.path.len(), 1, "one case, begun twice");
    let mut who: Vec<_> = case.path[0].steps.iter().map(|step| &step.stamp).collect();
    who.sort_by_key(|stamp| stamp.on_behalf_of.clone());
    let names = |stamp: &&wanhu_core::document::record::Stamp| {
        (stamp.name.clone(), stamp.on_behalf_of.clone())
    };
    let both = [("周长根", ""), ("李明", "周长根")];
    let both = both.map(|(name, whom)| (name.to_owned(), whom.to_owned()));
    assert_eq!(
        who.iter().map(names).collect::<Vec<_>>(),
        both,
        "the family itself, and its cadre for it"
    );
    assert_eq!(kinds(&li.tasks().unwrap()), [TaskKind::Verify], "one visit answers both");
    assert_eq!(family.record().await["case"].as_array().unwrap().len(), 1);
    let again = family.post("/v1/household/declarations", illness("上月住院")).await;
    assert_eq!(again, (201, json!({ "outcome": "known" })));
}

#[tokio::test(flavor = "multi_thread")]
async fn at_another_telephone_nobody_learns_who_is_on_record() {
    let (county, li, id) = family_on_record().await;
    let mut known = Browser::at(&county);
    assert!(!known.sign_in(OTHER_TELEPHONE, "周长根", NUMBER).await, "not the telephone on record");
    let refused = known.ask(Method::GET, "/v1/household/record", Json::Null).await;
    assert_eq!((refused.0.as_u16(), &refused.1["code"]), (403, &"not_on_record".into()));
    let mut wrong_name = Browser::at(&county);
    county.day("2024-03-05");
    assert!(
        !wrong_name.sign_in(TELEPHONE, "周长", NUMBER).await,
        "a part of the name is not the name"
    );
    let mut stranger = Browser::at(&county);
    county.day("2024-03-06");
    assert!(!stranger.sign_in("13707350000", "周长根", "11010519491231002X").await);

    // Whether a record knows them or not, the answers are the same.
    county.day("2024-03-07");
    let mut known = Browser::at(&county);
    assert!(!known.sign_in(OTHER_TELEPHONE, "周长根", NUMBER).await);
    let mut stranger = Browser::at(&county);
    assert!(!stranger.sign_in("13707350000", "周长生", "11010519491231002X").await);
    let mut said = illness("摔伤");
    let without_village = [
        known.post("/v1/household/declarations", said.clone()).await,
        stranger.post("/v1/household/declarations", said.clone()).await,
    ];
    assert_eq!(without_village[0], without_village[1]);
    assert_eq!(without_village[0].0, 422);
    said["village"] = FULING.into();
    for browser in [&known, &stranger] {
        for _ in 0..2 {
            let taken = browser.post("/v1/household/declarations", said.clone()).await;
            assert_eq!(taken, (201, json!({ "outcome": "taken" })));
        }
    }

    // Nor does the bound on how much may be said tell them apart.
    said["risks"] = json!(["other"]);
    for browser in [&known, &stranger] {
        for _ in 0..3 {
            assert_eq!(browser.post("/v1/household/declarations", said.clone()).await.0, 201);
        }
        let enough = browser.post("/v1/household/declarations", said.clone()).await;
        assert_eq!((enough.0, &enough.1["code"]), (429, &"too_many_declarations".into()));
    }

    // The one is a clue with the telephone to ask at; the other waits for the township.
    sync(&li).await;
    assert_eq!(kinds(&li.tasks().unwrap()), [TaskKind::Verify]);
    let shown = county.office("乡政府", AdminCommand::Show { household: id }).unwrap().to_string();
    assert!(shown.contains(OTHER_TELEPHONE));
    assert!(!shown.contains("case.consent"), "nobody agrees for the household");
    let waiting =
        county.listed("乡政府", AdminCommand::Declarations(PageArguments::default())).unwrap();
    assert_eq!(waiting.len(), 2, "once each, however often it was said");
    assert_eq!(waiting[0]["name"], "周长生");
    assert_eq!(
        county.office("医保局", AdminCommand::Declarations(PageArguments::default())),
        Err("not_granted")
    );
    let first = waiting[0]["number"].as_i64().unwrap();
    let behind = AdminCommand::Declarations(PageArguments { after: Some(first), rows: 9 });
    assert_eq!(county.listed("乡政府", behind).unwrap().len(), 1);
    let tasks = county.listed("乡政府", AdminCommand::Tasks(TaskArguments::default())).unwrap();
    assert_eq!((&tasks[0]["count"], &tasks[0]["since"]), (&2.into(), &"2024-03-07".into()));
    let enter = |number, household| AdminCommand::DeclarationEnter { number, household };
    assert_eq!(county.office("乡政府", enter(first, None)), Err("household_unknown"));

    // The township opens the record; then it finds the person by itself.
    let fields = [
        "basic.head_name=周长生",
        "members.name=周长生",
        "members.relation=户主",
        "members.identity_number=11010519491231002X",
    ];
    let fields = fields.map(str::to_owned).to_vec();
    let new = county.office("乡政府", AdminCommand::New { village: FULING, fields }).unwrap();
    let entered = county.office("乡政府", enter(first, None)).unwrap();
    assert_eq!(entered["findings"], json!([]), "what contradicts is told as at any save");
    let second = waiting[1]["number"].as_i64().unwrap();
    county.office("乡政府", AdminCommand::DeclarationDrop { number: second }).unwrap();
    assert_eq!(
        county.listed("乡政府", AdminCommand::Declarations(PageArguments::default())),
        Ok(vec![])
    );
    sync(&li).await;
    let id: HouseholdId = new["subject"].as_str().unwrap().parse().unwrap();
    let step = &li.case(id).unwrap().path[0].steps[0].stamp;
    assert_eq!((step.account.as_str(), step.on_behalf_of.as_str()), ("乡政府", "周长生"));
    let shown = county.office("乡政府", AdminCommand::Show { household: id }).unwrap().to_string();
    assert!(!shown.contains("case.consent"), "nobody has heard the household agree");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_turned_down_may_say_it_again_and_nobody_else_learns_of_it() {
    let (county, li, id) = family_on_record().await;
    take(&li, id, Stage::Clue, RecordEdit::default());
    sync(&li).await;
    let down = Step { reason: "收入高于监测范围", ..Step::default() };
    county.step("乡政府", id, "不纳入", down).unwrap();

    // Somebody who knows name and number, and a person no record knows, are told the same.
    let mut said = illness("");
    said["village"] = FULING.into();
    let mut other = Browser::at(&county);
    assert!(!other.sign_in(OTHER_TELEPHONE, "周长根", NUMBER).await);
    let mut stranger = Browser::at(&county);
    assert!(!stranger.sign_in("13707350000", "周长生", "11010519491231002X").await);
    let mut answers = Vec::new();
    for browser in [&other, &stranger] {
        answers.push(browser.post("/v1/household/declarations", said.clone()).await);
    }
    assert_eq!(answers[0], (201, json!({ "outcome": "taken" })));
    assert_eq!(answers[0], answers[1]);

    // The family's own word and consent count beside it, with or without words of its own.
    let mut family = Browser::at(&county);
    assert!(family.sign_in(TELEPHONE, "周长根", NUMBER).await);
    let declared = family.post("/v1/household/declarations", illness("")).await;
    assert_eq!(declared, (201, json!({ "outcome": "recorded" })));
    let again = family.post("/v1/household/declarations", illness("")).await;
    assert_eq!(again, (201, json!({ "outcome": "known" })));
    sync(&li).await;
    assert_eq!(stages(&li, id), [Stage::Clue, Stage::NotIncluded, Stage::Clue]);
    assert_eq!(kinds(&li.tasks().unwrap()), [TaskKind::Verify]);

    // Verified; what is said after that has a task of its own, on the same day, too.
    let visit = typed(&["visits.date=2024-03-04", "visits.met=户主"]);
    take(&li, id, Stage::Verified, visit);
    sync(&li).await;
    let school = json!({ "risks": ["schooling"], "note": "孩子上高中" });
    assert_eq!(family.post("/v1/household/declarations", school).await.1["outcome"], "recorded");
    sync(&li).await;
    assert_eq!(kinds(&li.tasks().unwrap()), [TaskKind::AnswerClue]);

    // So has what an office or a cadre takes down that day: nobody has to say which step it came after.
    let petition = ["clues.channel=信访热线", "clues.risk=住房", "clues.received_on=2024-03-04"];
    fill_in(&county, "乡政府", id, &petition);
    li.edit(
        id,
        &typed(&["clues.channel=信访热线", "clues.risk=饮水", "clues.received_on=2024-03-04"]),
    )
    .unwrap();
    sync(&li).await;
    assert_eq!(kinds(&li.tasks().unwrap()), [TaskKind::AnswerClue; 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_to_a_record_out_of_use_waits_for_the_township() {
    let (county, li, id) = family_on_record().await;
    li.edit(id, &typed(&["basic.status=整户迁出"])).unwrap();
    sync(&li).await;
    let mut family = Browser::at(&county);
    assert!(!family.sign_in(TELEPHONE, "周长根", NUMBER).await);
    let mut said = illness("搬回来了");
    said["village"] = FULING.into();
    let taken = family.post("/v1/household/declarations", said).await;
    assert_eq!(taken, (201, json!({ "outcome": "taken" })));
    let waiting =
        county.listed("乡政府", AdminCommand::Declarations(PageArguments::default())).unwrap();
    assert_eq!(waiting[0]["note"], "搬回来了");
    let number = waiting[0]["number"].as_i64().unwrap();
    let enter = || AdminCommand::DeclarationEnter { number, household: Some(id) };
    assert_eq!(
        county.office("乡政府", enter()),
        Err("household_unknown"),
        "nobody would have a task"
    );
    fill_in(&county, "乡政府", id, &["basic.status=在册"]);
    county.office("乡政府", enter()).unwrap();
    sync(&li).await;
    assert_eq!(kinds(&li.tasks().unwrap()), [TaskKind::Verify]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_door_is_not_forced() {
    let (county, _li, _id) = family_on_record().await;
    let browser = Browser::at(&county);
    let code = |telephone: &str| json!({ "telephone": telephone });
    assert_eq!(browser.post("/v1/household/codes", code("110")).await.1["code"], "invalid_input");
    assert_eq!(
        browser.post("/v1/household/codes", json!({ "x": 1 })).await.1["code"],
        "bad_request"
    );
    let large = json!({ "telephone": "1".repeat(5_000) });
    assert_eq!(browser.post("/v1/household/codes", large).await.0, 413);
    assert_eq!(browser.post("/v1/household/codes", code(TELEPHONE)).await.0, 202);
    let soon = browser.post("/v1/household/codes", code(TELEPHONE)).await;
    assert_eq!((soon.0, &soon.1["code"]), (429, &"too_many_requests".into()));
    let right = browser.code();
    let last = if right.ends_with('0') { '1' } else { '0' };
    let guess = |code: &str| json!({ "telephone": TELEPHONE, "code": code, "name": "周长根", "identity_number": NUMBER });
    for _ in 0..5 {
        let wrong =
            browser.post("/v1/household/sessions", guess(&format!("{}{last}", &right[..5]))).await;
        assert_eq!((wrong.0, &wrong.1["code"]), (403, &"code_unknown".into()));
    }
    assert_eq!(
        browser.post("/v1/household/sessions", guess(&right)).await.0,
        403,
        "tried too often"
    );
    for path in ["declarations", "objections", "confirmations"] {
        let refused = browser.post(&format!("/v1/household/{path}"), json!({})).await;
        assert_eq!((refused.0, &refused.1["code"]), (401, &"session_unknown".into()), "{path}");
    }
    for path in ["/my", "/my/my.js", "/my/my.css", "/my/words.json"] {
        let page =
            browser.client.get(format!("{}{path}", county.server.url())).send().await.unwrap();
        assert_eq!(page.status(), StatusCode::OK, "{path}");
        let policy = page.headers()["content-security-policy"].to_str().unwrap();
        assert_eq!(
            policy,
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            "{path}"
        );
    }
    let record = format!("{}/v1/household/record", county.server.url());
    let refused = browser.client.get(record).send().await.unwrap();
    assert_eq!(refused.headers()["cache-control"], "no-store", "nothing is kept on the way");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_interface_describes_itself() {
    let county = people("2024-03-04", FULING, None).await;
    let (status, described) =
        Browser::at(&county).ask(Method::GET, "/v1/openapi.json", Json::Null).await;
    assert_eq!(status, StatusCode::OK);
    let paths: Vec<&str> =
        described["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    for path in [
        "/v1/sync",
        "/v1/enrol",
        "/v1/household/codes",
        "/v1/household/sessions",
        "/v1/household/record",
        "/v1/household/declarations",
        "/v1/household/objections",
        "/v1/household/confirmations",
        "/v1/villages",
        "/my",
        "/healthz",
    ] {
        assert!(paths.contains(&path), "{path} of {paths:?}");
    }
    let request = &described["components"]["schemas"]["DeclarationRequest"];
    assert_eq!(request["required"], json!(["risks"]));
}
