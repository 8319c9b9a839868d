//! Which texts are the name of a hamlet (村组), and which are a remark that somebody typed in its place: denied unless it
//! looks like a name. Must not know where such a name is shown.

use super::is_digit;

/// What a village divides itself into, mostly by numbers; the longer before those they end with.
const UNITS: [&str; 6] = ["村民小组", "小组", "组", "队", "社", "片"];
/// Where relocated families (易地搬迁) live, and what takes the place of groups there; the longer before those they end with.
const SETTLEMENTS: [&str; 9] = [
    "易地扶贫搬迁集中安置点",
    "易地扶贫搬迁安置点",
    "易地搬迁集中安置点",
    "易地搬迁安置点",
    "集中安置点",
    "安置小区",
    "安置点",
    "安置区",
    "社区",
];
/// Surnames of two characters of that part of the country.
const LONG_SURNAMES: [&str; 9] =
    ["欧阳", "司马", "上官", "诸葛", "皇甫", "令狐", "夏侯", "司徒", "公孙"];
/// Ground, water and buildings that names of hamlets end with: 樟木冲, 白石岭, 老屋场.
const GROUND: &str = "湾塆冲坪岭村屯寨院坳洞塘垅垄山坡坑沟溪江河湖港塝坝圳井桥渡铺店街圩墟庙亭寺庵关峡岩石崖场坊窑屋楼园\
     田坨盆窝岗丘坵垭堡墩咀洲滩塅坎陂堰潭泉林树庄营畈埠塔涧谷峰垌";
/// And where beside one of these, or beside water, a hamlet lies: 井边, 枫树下, 茶山背, 水口.
const BESIDE: &str = "边旁下上里内外前后背头尾口脚心中角";
/// What stands in a remark and in no name.
const REMARKS: [&str; 27] = [
    "的", "了", "不", "没", "未", "是", "被", "欠", "死", "医", "狱", "劳改", "养老", "敬老",
    "福利", "婚", "低保", "五保", "特困", "贫困", "患", "残", "康复", "毒", "刑", "赌", "债",
];
/// Characters of the longest name before a number and a unit.
const NAME_MAX: usize = 5;
/// The same of a name that nothing but its unit tells from other words: 团结组.
const BARE_NAME_MAX: usize = 3;
/// Digits of the highest number.
const DIGITS_MAX: usize = 3;

/// Whether a text can be the name of a hamlet: 三组, 第12组, 福岭村3组, 大屋组, 牛角湾, 井边, 李家, 8.
pub(super) fn is_hamlet(text: &str) -> bool {
    let text = text.trim();
    if REMARKS.iter().any(|remark| text.contains(remark)) {
        return false;
    }
    if is_number(text) || text.strip_prefix('组').is_some_and(is_number) {
        return true;
    }
    let mut named = SETTLEMENTS.iter().filter_map(|settlement| text.strip_suffix(settlement));
    if named.next().is_some_and(|name| name.chars().count() <= BARE_NAME_MAX && is_chinese(name)) {
        return true;
    }
    let Some(of_unit) = UNITS.iter().find_map(|unit| text.strip_suffix(unit)) else {
        return is_name(text) || is_family(text);
    };
    let name = of_unit.trim_end_matches(is_digit);
    let number = &of_unit[name.len()..];
    let name = name.strip_suffix('第').filter(|_| !number.is_empty()).unwrap_or(name);
    let is_short = (1..=BARE_NAME_MAX).contains(&name.chars().count()) && is_chinese(name);
    match (name, number) {
        ("", number) => is_number(number),
        (name, "") => is_short || is_name(name),
        (name, number) => is_number(number) && (is_short || is_name(name)),
    }
}

fn is_number(text: &str) -> bool {
    (1..=DIGITS_MAX).contains(&text.chars().count()) && text.chars().all(is_digit)
}

fn is_chinese(text: &str) -> bool {
    text.chars().all(|c| matches!(c, '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{323af}'))
}

/// A name that ends as the land does there.
fn is_name(text: &str) -> bool {
    let characters: Vec<char> = text.chars().collect();
    let ends = match characters.as_slice() {
        [.., before, last] if BESIDE.contains(*last) => GROUND.contains(*before) || *before == '水',
        [_, .., last] => GROUND.contains(*last),
        _ => false,
    };
    ends && characters.len() <= NAME_MAX && is_chinese(text)
}

/// A hamlet called by the family that lives there: 李家, 欧阳家.
fn is_family(text: &str) -> bool {
    let Some(surname) = text.strip_suffix('家') else { return false };
    let is_one = surname.chars().count() == 1 && !surname.chars().any(is_digit);
    (is_one && is_chinese(surname)) || LONG_SURNAMES.contains(&surname)
}
