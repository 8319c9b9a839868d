//! Two cadres without signal edit one family; back on a slow line nothing is lost and both values stand.

use wanhu_core::client::{Ledger, RecordEdit};
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::domain::schema::Schema;
use wanhu_core::domain::value::Value;
use wanhu_tests::line::LineHandle;

use crate::{Failure, Tale, sync};

/// The second day of the story.
const DAY: i32 = 1;

pub(crate) async fn two_at_once(
    tale: &Tale,
    (li, wang): (&Ledger, &Ledger),
    id: HouseholdId,
    line: &LineHandle,
) -> Result<(), Failure> {
    tale.chapter(DAY, "四、进山,没有信号 · into the mountains, no signal: both edit 陈永昌");
    edit_offline(li, wang, id)?;
    let (ours, theirs) = (li.status()?.pending, wang.status()?.pending);
    println!("    待上传 · waiting: 李明 {ours} 条,王芳 {theirs} 条");
    tale.chapter(
        DAY,
        "五、回到有信号处 · back to a line of 300 ms and 100 kbit/s, one after the other",
    );
    sync("李明 A", li, line).await?;
    sync("王芳 B", wang, line).await?;
    sync("李明 A", li, line).await?;
    tale.chapter(DAY, "六、结果 · the outcome");
    show_outcome(li, wang, id)
}

fn label(list: &str, value: &Value) -> String {
    let code = value.as_text().unwrap_or_default();
    Schema::base()
        .code(list, code)
        .map_or_else(|| code.to_owned(), |c| format!("{} {}", c.zh, c.en))
}

fn edit_offline(li: &Ledger, wang: &Ledger, id: HouseholdId) -> Result<(), Failure> {
    let visit = |finding: &str, note: &str| {
        let fields: [(&str, Value); 5] = [
            ("date", li.today().to_string().into()),
            ("purpose", "verification".into()),
            ("met", "head".into()),
            ("finding", finding.into()),
            ("note", note.into()),
        ];
        fields.map(|(field, value)| (field.to_owned(), value)).to_vec()
    };
    li.record_visit(id, visit("difficult", "妻子住院,牛卖了五头"))?;
    let form = || RecordEdit { form: "household/1".into(), ..RecordEdit::default() };
    li.edit(id, &form().set("class", "risk_level", "high").set("basic", "phone", "13800000001"))?;
    wang.record_visit(id, visit("watch", "大儿子辞工照顾母亲"))?;
    wang.edit(id, &form().set("class", "risk_level", "medium").set("living", "water_safe", true))?;
    println!("    李明: 走访,风险等级→高,电话 · a visit, risk level high, a phone number");
    println!("    王芳: 走访,风险等级→中,饮水安全 · a visit, risk level medium, safe water");
    Ok(())
}

fn show_outcome(li: &Ledger, wang: &Ledger, id: HouseholdId) -> Result<(), Failure> {
    let receipt = li.status()?.last_receipt.ok_or("receipt")?;
    let signature: String = receipt.signature.iter().take(8).map(|b| format!("{b:02x}")).collect();
    println!(
        "    李明的回执 · receipt: 村日志第 {} 条,服务器签名 signature {signature}…",
        receipt.seq
    );
    let record = li.show(id)?;
    let visits =
        record.fields.iter().filter(|f| f.container == "visits" && f.key.ends_with(".note"));
    for visit in visits {
        println!("    走访 visit: {}", visit.value.as_text().unwrap_or_default());
    }
    for (container, key, zh) in
        [("basic", "phone", "电话 phone"), ("living", "water_safe", "饮水安全 water")]
    {
        let shown = record.fields.iter().find(|f| f.container == container && f.key == key);
        println!(
            "    {zh}: {}",
            match shown.map(|field| &field.value) {
                Some(Value::Bool(true)) => "是 yes",
                Some(value) => value.as_text().unwrap_or_default(),
                None => "",
            }
        );
    }
    for conflict in li.conflicts(id)? {
        let field = Schema::base().field(&conflict.container, &conflict.key);
        let field = field.map_or("", |field| field.zh.as_str());
        println!("    两个值都保留 · both values are kept: {field}");
        for value in &conflict.values {
            println!("      {} ← {}", label("risk_level", &value.value), value.stamp.name);
        }
    }
    if li.show(id)? != wang.show(id)? {
        return Err("the phones differ".into());
    }
    println!("    两部手机显示一致 · both phones show the same");
    Ok(())
}
