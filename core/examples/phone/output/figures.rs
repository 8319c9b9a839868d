//! How contradictions, help and figures look on the command line.

use std::fmt::Write;

use serde_json::{Value as Json, json};
use wanhu_core::domain::checks::{Finding, explain};
use wanhu_core::domain::figures::{Figure, FigureUnit, Statistic};
use wanhu_core::domain::help::Help;
use wanhu_core::domain::region::RegionList;
use wanhu_core::domain::schema::{Schema, words};
use wanhu_core::domain::value::hundredths;

use crate::Shown;

/// What contradicts on a record.
pub(crate) fn findings(findings: &[Finding]) -> Shown {
    let mut text = String::new();
    let mut values = Vec::new();
    for finding in findings {
        let (zh, en) = explain(finding);
        let _ = writeln!(text, "{zh}\n    {en} [{}]", finding.subject);
        let code = finding.check.code();
        let inputs = finding.inputs.iter();
        let inputs = inputs.map(|input| (input.name.clone(), Json::from(input.value.as_str())));
        values.push(json!({
            "check": code, "subject": finding.subject, "zh": zh, "en": en,
            "inputs": Json::Object(inputs.collect())
        }));
    }
    if findings.is_empty() {
        text.push_str("没有发现矛盾 · nothing contradicts\n");
    }
    (text, values.into())
}

/// What help brings in a year.
pub(crate) fn help(help: &Help) -> Shown {
    let mut text = String::new();
    for measure in &help.measures {
        let kind = Schema::base().code("measure_kind", &measure.kind);
        let kind = kind.map_or("", |kind| kind.zh.as_str());
        let _ = writeln!(text, "{kind}\t{} 次 x\t{} 元", measure.payments, hundredths(measure.fen));
    }
    let _ = writeln!(text, "{} 年合计 · in all: {} 元", help.year, hundredths(help.total_fen));
    (text, json!({ "year": help.year, "total_fen": help.total_fen }))
}

/// Figures with what they are of; under the first of a kind that is to be defined, what it counts.
pub(crate) fn figures(
    figures: &[Figure],
    regions: &RegionList,
    defines: impl Fn(Statistic) -> bool,
) -> Shown {
    let mut text = String::new();
    let mut values = Vec::new();
    let (mut last, mut undefined) = (None, false);
    for figure in figures.iter().filter(|figure| figure.numerator != 0 || figure.denominator != 0) {
        let name = words("figure_name", figure.code.code());
        let name = name.map(|name| format!("{} · {}", name.zh, name.en)).unwrap_or_default();
        let definition = words("figure", figure.code.code());
        let value = match (figure.unit, figure.value) {
            (_, None) => "-".to_owned(),
            (FigureUnit::Households, Some(value)) => format!("{value} 户"),
            (FigureUnit::PerTenThousand, Some(value)) => format!("{}%", hundredths(value)),
            (FigureUnit::FenEach, Some(value)) => format!("{} 元", hundredths(value)),
        };
        let of = match figure.of_label(regions) {
            of if of.is_empty() => of,
            of => format!(" [{of}]"),
        };
        let (part, whole) = (figure.numerator, figure.denominator);
        let _ = writeln!(text, "{name}{of}\t{value}\t({part} / {whole})\t{}", figure.as_of);
        let is_first = last.replace(figure.code) != Some(figure.code);
        undefined |= !defines(figure.code);
        if let Some(words) = definition.filter(|_| is_first && defines(figure.code)) {
            let _ = writeln!(text, "    {}\n    {}", words.zh, words.en);
        }
        for id in &figure.households {
            let _ = writeln!(text, "    {id}");
        }
        let ids: Vec<String> = figure.households.iter().map(ToString::to_string).collect();
        let rest: Vec<String> = figure.rest.iter().map(ToString::to_string).collect();
        values.push(json!({
            "code": figure.code.code(), "of": figure.of, "as_of": figure.as_of.to_string(),
            "numerator": part, "denominator": whole, "value": figure.value,
            "people": figure.people, "households": ids, "rest": rest,
            "zh": definition.map(|words| &words.zh), "en": definition.map(|words| &words.en)
        }));
    }
    if undefined {
        text.push_str("各项含义: --define · what each counts: --define\n");
    }
    (text, Json::from(values))
}
