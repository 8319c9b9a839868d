//! Cells as people write them.

use super::*;

fn iso(text: &str) -> Option<String> {
    day(&plain(text), false).map(|day| day.to_string())
}

#[test]
fn days_as_people_write_them() {
    for text in [
        "2020-02-01",
        "2020-2-1",
        "2020/2/1",
        "2020.02.01",
        "2020年2月1日",
        "2020年02月01日",
        "20200201",
        "43862",
        "43862.75",
        "２０２０－０２－０１",
        " 2020-02-01 10:30:00 ",
        "2020-02-01T00:00:00.000Z",
        "'2020-02-01",
    ] {
        assert_eq!(iso(text).as_deref(), Some("2020-02-01"), "{text}");
    }
    for text in [
        "2020-02-30",
        "20-02-01",
        "2/1/2020",
        "2020",
        "1899-12-31",
        "2020-02",
        "20200230",
        "2月1日",
        "2020-02/01",
        "438620",
        "2020-02-01 至 2020-02-05",
        "二〇二〇年二月",
        "9999-01-01",
    ] {
        assert_eq!(iso(text), None, "{text}");
    }
    assert_eq!(day("42400", true), day("43862", false), "counted from 1904");
}

#[test]
fn months_are_their_first_day() {
    for text in ["2020-02", "2020/2", "2020.02", "2020年2月", "202002", "2020-02-17", "20200217"]
    {
        let month = month(text, false).map(|day| day.to_string());
        assert_eq!(month.as_deref(), Some("2020-02-01"), "{text}");
    }
    for text in ["2020", "202013", "2020-13", "2月", "2020-2-30"] {
        assert_eq!(month(text, false), None, "{text}");
    }
}

#[test]
fn amounts_as_people_write_them() {
    let read = |text: &str| fen(&plain(text), 0);
    for (text, expected) in [
        ("12,000.50", 1_200_050),
        ("￥12000", 1_200_000),
        ("¥ 12,000", 1_200_000),
        ("1.2万", 1_200_000),
        ("1.23456万元", 1_234_560),
        ("12000元", 1_200_000),
        ("人民币12000元", 1_200_000),
        ("１２０００．５", 1_200_050),
        ("0", 0),
        ("-0.00", 0),
        ("0.005", 1),
        ("1234.5649", 123_456),
        ("12.", 1_200),
    ] {
        assert_eq!(read(text), Ok(expected), "{text}");
    }
    for text in ["-12", "(12.00)", "（1,200）", "￥-3", "−5元"] {
        assert_eq!(read(text), Err(FaultCode::AmountNegative), "{text}");
    }
    for text in [
        "12,50",
        "1,2000",
        ",120",
        "1.2.3",
        "十二",
        "1.2E+4",
        "12千",
        "元",
        "万",
        "0x10",
        "12a",
        "=1+1",
        "999999999999999",
        "12..",
        "1 200",
    ] {
        assert_eq!(read(text), Err(FaultCode::AmountMalformed), "{text}");
    }
    assert_eq!(fen("1.5", MYRIAD), Ok(1_500_000), "under a header that counts 万元");
    assert_eq!(fen("1.5", 3), Ok(150_000), "千元");
    assert_eq!(fen("15000元", MYRIAD), Ok(1_500_000), "the cell says what it counts");
    assert_eq!(fen("1.5万", MYRIAD), Err(FaultCode::AmountMalformed), "万 times 万元");
}

#[test]
fn identity_numbers_are_read_or_refused_and_never_mended() {
    let read = |text: &str| identity(&plain(text)).map(|number| number.as_str().to_owned());
    for text in [
        "11010519491231002X",
        "11010519491231002x",
        "１１０１０５１９４９１２３１００２Ｘ",
        "'11010519491231002X",
        "=\"11010519491231002X\"",
        "\t11010519491231002X",
        "110105 19491231 002X",
        "110105491231002",
    ] {
        assert_eq!(read(text).as_deref(), Ok("11010519491231002X"), "{text}");
    }
    for (text, code) in [
        ("4.31022E+17", FaultCode::IdentityScientific),
        ("4.31022199001011E17", FaultCode::IdentityScientific),
        ("431022199001011000", FaultCode::IdentityScientific),
        ("110105194912310021", FaultCode::IdentityCheck),
        ("11010519491231002", FaultCode::IdentityMalformed),
        ("110105491331002", FaultCode::IdentityMalformed),
        ("E", FaultCode::IdentityMalformed),
        ("护照E123", FaultCode::IdentityMalformed),
        ("=\"11010519491231002X\"&\"\"", FaultCode::IdentityMalformed),
        ("=11010519491231002X", FaultCode::IdentityMalformed),
    ] {
        assert_eq!(read(text), Err(code), "{text}");
    }
}

#[test]
fn names_lose_the_spaces_that_widen_them() {
    for (text, expected) in [
        ("张　三", "张三"),
        (" 张 三\u{200B}", "张三"),
        ("阿依古丽•买买提", "阿依古丽·买买提"),
        ("John Smith", "John Smith"),
    ] {
        assert_eq!(name(&plain(text)), expected);
    }
}

#[test]
fn what_goes_on_has_a_begin_and_no_end() {
    for text in ["长期", "永久", "至今", "2025.3.1至今"] {
        assert!(is_without_end(&plain(text)), "{text}");
    }
    for text in ["2025.3.1", "长", "半年"] {
        assert!(!is_without_end(&plain(text)), "{text}");
    }
    for text in ["2025.3.1至今", "2025.3-至今", "2025年3月起", "2025.3"] {
        let day = month(begun(&plain(text)), false).map(|day| day.to_string());
        assert_eq!(day.as_deref(), Some("2025-03-01"), "{text}");
    }
}

#[test]
fn numbers_with_what_they_count() {
    for (text, expected) in
        [("2人", 2), ("３ 间", 3), ("8个月", 8), ("2026年", 2026), ("12", 12), ("2.0亩", 2)]
    {
        assert_eq!(number(&plain(text)), Some(expected), "{text}");
    }
    for text in ["半年", "1年", "8月", "2.5间", "约2间", "人", "2人3户"] {
        assert_eq!(number(&plain(text)), None, "{text}");
    }
    for text in ["350元/月", "350／月", "每月350元", "350元每月", "350"] {
        assert_eq!(fen(each_month(&plain(text)), 0), Ok(35_000), "{text}");
    }
}
