//! Codes by telephone and the sessions they open, in memory: a restart forgets them, and whoever was at it asks for
//! another code. Nothing of it is ever on disk. Must not know what a caller may do.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};
use wanhu_core::domain::day::Day;
use wanhu_core::domain::environment::{Entropy, random};
use wanhu_core::domain::person::{Blind, PersonKey};

use super::Caller;
use crate::error::ServerError;

/// How long a code is good for.
pub(super) const CODE_MINUTES: u32 = 10;
pub(super) const CODE_MS: i64 = CODE_MINUTES as i64 * 60_000;
/// Wrong tries that a code survives.
const TRIES_MAX: u32 = 5;
/// Pause between two codes for one telephone.
const PAUSE_MS: i64 = 60_000;
/// Codes for one telephone within a day.
const CODES_A_DAY: u32 = 5;
/// Declarations within a day from a telephone that is not the one on record.
const DECLARATIONS_A_DAY: u32 = 5;
/// How long a session lasts.
const SESSION_MS: i64 = 60 * 60_000;
/// Codes sent within a minute, to whomever: a message costs the office money.
const CODES_A_MINUTE: u32 = 600;
const MINUTE_MS: i64 = 60_000;
/// Telephones, and sessions, remembered at a time.
const HELD_MAX: usize = 100_000;

/// Everybody who is at it.
#[derive(Debug, Default)]
pub struct Visitors(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    minute: i64,
    sent_that_minute: u32,
    codes: HashMap<Blind, Code>,
    sessions: HashMap<[u8; 32], (Caller, i64)>,
}

#[derive(Debug)]
struct Code {
    /// None once it was used or tried too often.
    digits: Option<[u8; 6]>,
    tries: u32,
    sent_ms: i64,
    day: Day,
    sent_that_day: u32,
    declared_that_day: u32,
}

impl Code {
    fn on(day: Day) -> Self {
        let (sent_that_day, declared_that_day) = (0, 0);
        Self { digits: None, tries: 0, sent_ms: i64::MIN, day, sent_that_day, declared_that_day }
    }
}

impl Held {
    /// What is remembered of a telephone, with the counters of this day.
    fn of(&mut self, telephone: Blind, day: Day) -> &mut Code {
        let code = self.codes.entry(telephone).or_insert_with(|| Code::on(day));
        if code.day != day {
            (code.day, code.sent_that_day, code.declared_that_day) = (day, 0, 0);
        }
        code
    }

    /// Makes room: whoever was sent a code that is over by now may begin anew.
    fn prune(&mut self, now_ms: i64) {
        if self.codes.len() >= HELD_MAX {
            self.codes.retain(|_, code| now_ms < code.sent_ms.saturating_add(CODE_MS));
        }
    }

    fn count_message(&mut self, now_ms: i64) -> Result<(), ServerError> {
        let minute = now_ms.div_euclid(MINUTE_MS);
        if self.minute != minute {
            (self.minute, self.sent_that_minute) = (minute, 0);
        }
        if self.sent_that_minute >= CODES_A_MINUTE {
            return Err(ServerError::Busy);
        }
        self.sent_that_minute += 1;
        Ok(())
    }
}

impl Visitors {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new code of six digits for a telephone; the one before is void.
    ///
    /// # Errors
    /// `TooManyRequests` for one too soon or one too many a day; `Busy` where too many are at it.
    pub fn issue(
        &self,
        telephone: Blind,
        now_ms: i64,
        entropy: &mut dyn Entropy,
    ) -> Result<String, ServerError> {
        let mut held = self.held();
        held.prune(now_ms);
        let day = Day::in_china(now_ms);
        let code = held.of(telephone, day);
        let wait_ms = if code.sent_that_day >= CODES_A_DAY {
            until_tomorrow_ms(day, now_ms)
        } else {
            code.sent_ms.saturating_add(PAUSE_MS).saturating_sub(now_ms)
        };
        if wait_ms > 0 {
            return Err(ServerError::TooManyRequests { retry_after_ms: wait_ms.unsigned_abs() });
        }
        held.count_message(now_ms)?;
        let (code, digits) = (held.of(telephone, day), digits(entropy));
        code.digits = Some(digits);
        (code.tries, code.sent_ms) = (0, now_ms);
        code.sent_that_day += 1;
        Ok(digits.iter().map(|digit| char::from(*digit)).collect())
    }

    /// Opens a session for a caller whose telephone was sent this code; its token.
    ///
    /// # Errors
    /// `CodeUnknown` where it was not, or was tried too often or used; `CodeExpired`.
    pub fn open(
        &self,
        telephone: Blind,
        code: &str,
        caller: Caller,
        now_ms: i64,
        entropy: &mut dyn Entropy,
    ) -> Result<(String, i64), ServerError> {
        let mut held = self.held();
        let issued = held.codes.get_mut(&telephone).ok_or(ServerError::CodeUnknown)?;
        let digits = issued.digits.ok_or(ServerError::CodeUnknown)?;
        if now_ms >= issued.sent_ms.saturating_add(CODE_MS) {
            return Err(ServerError::CodeExpired);
        }
        if code.trim().as_bytes() != digits {
            issued.tries += 1;
            if issued.tries >= TRIES_MAX {
                issued.digits = None;
            }
            return Err(ServerError::CodeUnknown);
        }
        issued.digits = None;
        held.sessions.retain(|_, (_, until_ms)| now_ms < *until_ms);
        if held.sessions.len() >= HELD_MAX {
            return Err(ServerError::Busy);
        }
        let token = random::<32>(entropy).iter().fold(String::new(), |t, b| format!("{t}{b:02x}"));
        let until_ms = now_ms.saturating_add(SESSION_MS);
        held.sessions.insert(hash(&token), (caller, until_ms));
        Ok((token, until_ms))
    }

    /// Counts a declaration from a telephone.
    ///
    /// # Errors
    /// `TooManyDeclarations` for one too many a day.
    pub fn count_declaration(
        &self,
        key: &PersonKey,
        telephone: &str,
        now_ms: i64,
    ) -> Result<(), ServerError> {
        let telephone = key.phone(telephone).ok_or(ServerError::BadRequest)?;
        let day = Day::in_china(now_ms);
        let mut held = self.held();
        held.prune(now_ms);
        let code = held.of(telephone, day);
        if code.declared_that_day >= DECLARATIONS_A_DAY {
            let retry_after_ms = until_tomorrow_ms(day, now_ms).unsigned_abs();
            return Err(ServerError::TooManyDeclarations { retry_after_ms });
        }
        code.declared_that_day += 1;
        Ok(())
    }

    /// Whose session this is.
    ///
    /// # Errors
    /// `SignInNeeded` where it is nobody's, or over.
    pub fn caller(&self, token: &str, now_ms: i64) -> Result<Caller, ServerError> {
        let held = self.held();
        let found = held.sessions.get(&hash(token)).filter(|(_, until_ms)| now_ms < *until_ms);
        found.map(|(caller, _)| caller.clone()).ok_or(ServerError::SignInNeeded)
    }

    /// Ends a session.
    pub fn close(&self, token: &str) {
        self.held().sessions.remove(&hash(token));
    }
}

fn until_tomorrow_ms(day: Day, now_ms: i64) -> i64 {
    day.plus_days(1).begins_ms() - now_ms
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

fn digits(entropy: &mut dyn Entropy) -> [u8; 6] {
    let mut digits = [0; 6];
    let mut at = 0;
    while at < digits.len() {
        let [byte] = random::<1>(entropy);
        // 250 is the largest multiple of ten in a byte: beyond it digits would not be equally likely.
        if byte < 250 {
            digits[at] = b'0' + byte % 10;
            at += 1;
        }
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;
    use wanhu_core::domain::identity::IdentityNumber;
    use wanhu_core::system::SystemEntropy;

    const PHONE: Blind = Blind([1; 16]);
    const NOW_MS: i64 = 1_700_000_000_000;

    fn caller() -> Caller {
        let number = IdentityNumber::parse("11010519491231002X").unwrap();
        Caller { telephone: "13807351234".into(), name: "陈永昌".into(), number }
    }

    fn open(visitors: &Visitors, code: &str, now_ms: i64) -> Result<(String, i64), &'static str> {
        let opened = visitors.open(PHONE, code, caller(), now_ms, &mut SystemEntropy);
        opened.map_err(|error| error.parts().1)
    }

    fn wrong(code: &str) -> String {
        let last = if code.ends_with('0') { '1' } else { '0' };
        format!("{}{last}", &code[..5])
    }

    #[test]
    fn a_code_opens_one_session_for_an_hour() {
        let visitors = Visitors::default();
        let code = visitors.issue(PHONE, NOW_MS, &mut SystemEntropy).unwrap();
        assert_eq!(code.len(), 6);
        let (token, until_ms) = open(&visitors, &code, NOW_MS).unwrap();
        assert_eq!(open(&visitors, &code, NOW_MS), Err("code_unknown"), "once");
        assert_eq!(visitors.caller(&token, until_ms - 1).unwrap(), caller());
        assert_eq!(visitors.caller(&token, until_ms).unwrap_err().parts().1, "session_unknown");
        visitors.close(&token);
        assert_eq!(visitors.caller(&token, NOW_MS).unwrap_err().parts().1, "session_unknown");
    }

    #[test]
    fn a_code_is_void_after_ten_minutes_or_five_wrong_tries_or_when_another_is_sent() {
        let visitors = Visitors::default();
        let late = visitors.issue(PHONE, NOW_MS, &mut SystemEntropy).unwrap();
        assert_eq!(open(&visitors, &late, NOW_MS + CODE_MS), Err("code_expired"));
        let other = Blind([2; 16]);
        assert!(visitors.open(other, &late, caller(), NOW_MS, &mut SystemEntropy).is_err());

        let now_ms = NOW_MS + CODE_MS;
        let tried = visitors.issue(PHONE, now_ms, &mut SystemEntropy).unwrap();
        if tried != late {
            assert_eq!(open(&visitors, &late, now_ms), Err("code_unknown"), "the one before");
        }
        for _ in 0..TRIES_MAX {
            assert_eq!(open(&visitors, &wrong(&tried), now_ms), Err("code_unknown"));
        }
        assert_eq!(open(&visitors, &tried, now_ms), Err("code_unknown"), "tried too often");
    }

    #[test]
    fn nobody_is_flooded_with_codes() {
        let visitors = Visitors::default();
        let issue = |now_ms| {
            let issued = visitors.issue(PHONE, now_ms, &mut SystemEntropy);
            issued.map(drop).map_err(|error| error.parts().2)
        };
        const DAY_MS: i64 = 86_400_000;
        let day_ms = Day::in_china(NOW_MS).begins_ms();
        assert_eq!(issue(day_ms), Ok(()));
        assert_eq!(issue(day_ms + 1_000), Err(vec!["59000".to_owned()]));
        for n in 1..i64::from(CODES_A_DAY) {
            assert_eq!(issue(day_ms + n * PAUSE_MS), Ok(()));
        }
        let sixth = day_ms + DAY_MS / 2;
        assert_eq!(issue(sixth), Err(vec![(DAY_MS / 2).to_string()]));
        assert_eq!(issue(day_ms + DAY_MS), Ok(()), "the day begins at midnight in China");
    }

    #[test]
    fn the_office_is_not_made_to_pay_for_thousands_of_messages() {
        let visitors = Visitors::default();
        let issue = |telephone: u32, now_ms| {
            let mut blind = [0; 16];
            blind[..4].copy_from_slice(&telephone.to_be_bytes());
            let issued = visitors.issue(Blind(blind), now_ms, &mut SystemEntropy);
            issued.map(drop).map_err(|error| error.parts().1)
        };
        let minute_ms = NOW_MS.div_euclid(MINUTE_MS) * MINUTE_MS;
        for telephone in 0..CODES_A_MINUTE {
            assert_eq!(issue(telephone, minute_ms), Ok(()));
        }
        assert_eq!(issue(CODES_A_MINUTE, minute_ms), Err("busy"));
        assert_eq!(issue(CODES_A_MINUTE, minute_ms + MINUTE_MS), Ok(()));
    }
}
