//! The same on paper: what the file says is read back from its bytes.

use std::path::Path;

use super::*;

fn pdf_text(bytes: &[u8]) -> String {
    seen(&pdf_extract::extract_text_from_mem(bytes).unwrap())
}

#[test]
fn every_form_on_paper_says_what_the_sheet_says() {
    for form in Template::shipped() {
        let sheet = sheet(&form.id, &samples());
        let pdf = pdf::write(&sheet, &[]).unwrap();
        assert!(pdf.missing.is_empty(), "{}: {:?}", form.id, pdf.missing);
        let text = pdf_text(&pdf.bytes);
        for cell in sheet.parts.iter().flat_map(|part| &part.rows).flat_map(|row| &row.cells) {
            // What breaks inside a narrow column may be read in another order.
            let shown = seen(&cell.text());
            assert!(width(&shown) > 12 || text.contains(&shown), "{}: {shown}", form.id);
        }
        let names = if sheet.public { ["陈*昌", "陈*建"] } else { ["陈永昌", "陈国建"] };
        let stands = |id| sheet.households.iter().any(|(own, _)| *own == id);
        for (name, (id, ..)) in names.iter().zip(samples()) {
            assert_eq!(text.contains(name), stands(id), "{}: {name} in {text}", form.id);
        }
        assert!(text.contains("日志序号:1234/9f3a0c1b"), "{}: {text}", form.id);
        assert!(text.contains(&sheet.title) && text.contains("2020-11-30"), "{}", form.id);
        assert!(sheet.sign.iter().all(|line| text.contains(line)), "{}", form.id);
    }
}

#[test]
fn a_long_list_repeats_its_header_and_counts_its_pages() {
    let many: Vec<Household> = (0..120u8)
        .map(|number| {
            let (_, fold, facts) = samples().remove(0);
            (HouseholdId([number; 16]), fold, facts)
        })
        .collect();
    let text = pdf_text(&pdf::write(&sheet("village", &many), &[]).unwrap().bytes);
    let pages = text.matches("页共").count();
    assert!(pages > 2, "{pages}");
    assert!(
        text.contains(&format!("第1页共{pages}页"))
            && text.contains(&format!("第{pages}页共{pages}页"))
    );
    assert_eq!(text.matches("户主姓名").count(), pages);
}

#[test]
fn every_page_of_a_household_says_whose_it_is_and_of_how_many() {
    let sheet = sheet("survey", &samples());
    let text = pdf_text(&pdf::write(&sheet, &[]).unwrap().bytes);
    // Two of each family: a parted page is put back where it belongs.
    for name in ["陈永昌", "陈国建"] {
        let foot = format!("{}{name}", sheet.title);
        assert_eq!(text.matches(&foot).count(), 2, "{foot} in {text}");
    }
    for page in ["第1页共2页", "第2页共2页"] {
        assert_eq!(text.matches(page).count(), 2, "{page} in {text}");
    }
}

#[test]
fn a_line_of_a_list_is_on_one_page() {
    let many: Vec<Household> = (0..60u8)
        .map(|number| {
            let (_, fold, facts) = samples().remove(1);
            (HouseholdId([number; 16]), fold, facts)
        })
        .collect();
    let mut sheet = sheet("decisions", &many);
    for (number, row) in sheet.parts[0].rows.iter_mut().enumerate() {
        let long = "帮".repeat(40 + number * 53 % 170);
        row.cells[7].shown = Shown::Text(format!("{long}末"));
    }
    let pdf = pdf::write(&sheet, &[]).unwrap();
    let pages = pdf_extract::extract_text_from_mem_by_pages(&pdf.bytes).unwrap();
    assert!(pages.len() > 2, "{}", pages.len());
    for page in pages.iter().map(|page| seen(page)) {
        let (begun, ended) = (page.matches("陈*建").count(), page.matches('末').count());
        assert_eq!(begun, ended, "{page}");
    }
}

#[test]
fn what_no_font_has_is_reported() {
    let fields = [("basic.head_name", "陈𪚥"), ("class.monitored_kind", "sudden")];
    let fields = fields.map(|(name, value)| (name.to_owned(), value.into()));
    let sheet = sheet("village", &[save(&fields, HouseholdId([3; 16]), 431_022_208_217)]);
    assert_eq!(pdf::write(&sheet, &[]).unwrap().missing, ['𪚥']);
    let nowhere = Path::new("no/such/folder").to_owned();
    assert_eq!(pdf::write(&sheet, &[nowhere]).unwrap().missing, ['𪚥']);
}

#[test]
fn what_a_record_holds_is_never_markup() {
    let fields = [("basic.head_name", "#panic() $x$ *b*"), ("class.monitored_kind", "sudden")];
    let fields = fields.map(|(name, value)| (name.to_owned(), value.into()));
    let sheet = sheet("village", &[save(&fields, HouseholdId([3; 16]), 431_022_208_217)]);
    let text = pdf_text(&pdf::write(&sheet, &[]).unwrap().bytes);
    assert!(text.contains("#panic()"), "{text}");
}

#[test]
fn the_same_sheet_is_the_same_paper() {
    let made = || pdf::write(&sheet("department", &samples()), &[]).unwrap();
    assert_eq!(made(), made());
}

#[test]
fn no_notice_on_paper_tells_a_secret() {
    for (secret, form) in SECRETS.iter().flat_map(|secret| public_forms().map(move |f| (secret, f)))
    {
        let pdf = pdf::write(&sheet(&form.id, &[telling(secret)]), &[]).unwrap();
        let text = pdf_text(&pdf.bytes);
        assert!(!text.contains(secret), "{}: {secret} in {text}", form.id);
        assert!(text.contains("＊＊＊"), "{text}");
    }
}
