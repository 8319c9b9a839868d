//! The server's settings: one schema for file, environment and flags, with defaults that need none of
//! them. Later sources win: defaults, TOML file, `WANHU_*` variables, flags.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::{Deserialize, Serialize};

/// What is wrong with the settings.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("cannot read {path}")]
    Unreadable {
        /// The file.
        path: PathBuf,
    },
    /// The file is not TOML of this schema; the text names line and key.
    #[error("{path}: {reason}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The parser's words.
        reason: String,
    },
    /// A number outside its bounds.
    #[error("{name} must be within {min}..={max}")]
    OutOfBounds {
        /// The setting.
        name: &'static str,
        /// Smallest value.
        min: u64,
        /// Largest value.
        max: u64,
    },
    /// A certificate without a key, or a key without a certificate.
    #[error("tls_certificate and tls_key belong together")]
    TlsIncomplete,
}

/// All settings, effective.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where databases and keys live.
    pub data_dir: PathBuf,
    /// File with the key of the databases; none = `storage.key` in the data directory. Keep it on
    /// another medium where one disk may be stolen.
    pub storage_key: Option<PathBuf>,
    /// Address and port to listen on.
    pub listen: SocketAddr,
    /// Certificate chain in PEM; with it the server speaks HTTPS.
    pub tls_certificate: Option<PathBuf>,
    /// Private key in PEM.
    pub tls_key: Option<PathBuf>,
    /// Speak plain HTTP on an address other machines reach, because a gateway in front does TLS.
    pub allow_plain_http: bool,
    /// Another city's region list; none = Chenzhou's.
    pub regions: Option<PathBuf>,
    /// The county's lines, periods and warning rules; none = published examples, which are nobody's own.
    pub policy: Option<PathBuf>,
    /// Seconds a phone may be silent in the middle of a request.
    pub silence_seconds_max: u64,
    /// Requests served at the same time; others are asked to come back.
    pub requests_max: u64,
    /// Minutes an enrolment code is good for.
    pub enrolment_code_minutes: u64,
    /// A new phone waits until the office approves it.
    pub enrolment_approval: bool,
    /// Days for which a phone may show its records without another contact; 0 = for ever.
    pub lease_days: u64,
    /// Households may declare and look at their own record with a phone's browser, at `/my`.
    pub household_service: bool,
    /// Accounts of offices for which the server warns of what the records of their area tell; none = only where somebody
    /// asks for it (`admin warn`).
    pub warn_by: Vec<String>,
    /// Syncs one device may begin within a minute.
    pub syncs_per_minute: u64,
    /// Changes taken from one device within a day.
    pub changes_per_day: u64,
    /// Days after a restore in which phones give back other people's changes too.
    pub takes_back_days: u64,
    /// Which log lines: a `tracing` filter such as `info` or `wanhu_server=debug`.
    pub log_filter: String,
    /// Log lines as JSON.
    pub log_json: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from("wanhu-data"),
            storage_key: None,
            listen: SocketAddr::from(([127, 0, 0, 1], 8787)),
            tls_certificate: None,
            tls_key: None,
            allow_plain_http: false,
            regions: None,
            policy: None,
            silence_seconds_max: 60,
            requests_max: 256,
            enrolment_code_minutes: 10,
            enrolment_approval: false,
            lease_days: 60,
            household_service: true,
            warn_by: Vec::new(),
            syncs_per_minute: 120,
            changes_per_day: 200_000,
            takes_back_days: 60,
            log_filter: "info".to_owned(),
            log_json: false,
        }
    }
}

/// The same settings as flags and environment variables.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "服务器设置 · Settings")]
pub struct SettingsArgs {
    /// 配置文件 (TOML) · settings file
    #[arg(long, env = "WANHU_CONFIG", global = true)]
    pub config: Option<PathBuf>,
    /// 数据目录 · data directory
    #[arg(long, env = "WANHU_DATA_DIR", global = true)]
    pub data_dir: Option<PathBuf>,
    /// 数据库密钥文件 · file with the key of the databases
    #[arg(long, env = "WANHU_STORAGE_KEY", global = true)]
    pub storage_key: Option<PathBuf>,
    /// 监听地址 · address to listen on
    #[arg(long, env = "WANHU_LISTEN", global = true)]
    pub listen: Option<SocketAddr>,
    /// 证书 (PEM) · certificate
    #[arg(long, env = "WANHU_TLS_CERTIFICATE", global = true)]
    pub tls_certificate: Option<PathBuf>,
    /// 私钥 (PEM) · private key
    #[arg(long, env = "WANHU_TLS_KEY", global = true)]
    pub tls_key: Option<PathBuf>,
    /// 允许非本机明文 HTTP · plain HTTP beyond loopback
    #[arg(long, env = "WANHU_ALLOW_PLAIN_HTTP", global = true)]
    pub allow_plain_http: bool,
    /// 区划表 · region list of another city
    #[arg(long, env = "WANHU_REGIONS", global = true)]
    pub regions: Option<PathBuf>,
    /// 政策参数文件 (TOML) · lines, periods and rules of the county
    #[arg(long, env = "WANHU_POLICY", global = true)]
    pub policy: Option<PathBuf>,
    /// 静默上限(秒) · seconds of silence
    #[arg(long, env = "WANHU_SILENCE_SECONDS_MAX", global = true)]
    pub silence_seconds_max: Option<u64>,
    /// 并发请求上限 · requests at the same time
    #[arg(long, env = "WANHU_REQUESTS_MAX", global = true)]
    pub requests_max: Option<u64>,
    /// 登记码有效分钟 · minutes a code is good for
    #[arg(long, env = "WANHU_ENROLMENT_CODE_MINUTES", global = true)]
    pub enrolment_code_minutes: Option<u64>,
    /// 新设备须审批 · new phones wait for approval
    #[arg(long, env = "WANHU_ENROLMENT_APPROVAL", global = true)]
    pub enrolment_approval: bool,
    /// 离线可读天数,0 为不限 · days readable without contact, 0 = for ever
    #[arg(long, env = "WANHU_LEASE_DAYS", global = true)]
    pub lease_days: Option<u64>,
    /// 农户手机网页自助服务 · households' own service by phone browser
    #[arg(long, env = "WANHU_HOUSEHOLD_SERVICE", global = true)]
    pub household_service: Option<bool>,
    /// 自动按档案预警的单位账户 · offices for which records are judged by themselves, after each sync
    #[arg(long, env = "WANHU_WARN_BY", value_delimiter = ',', global = true)]
    pub warn_by: Option<Vec<String>>,
    /// 每台设备每分钟同步次数 · syncs per device and minute
    #[arg(long, env = "WANHU_SYNCS_PER_MINUTE", global = true)]
    pub syncs_per_minute: Option<u64>,
    /// 每台设备每日修改条数 · changes per device and day
    #[arg(long, env = "WANHU_CHANGES_PER_DAY", global = true)]
    pub changes_per_day: Option<u64>,
    /// 恢复后收回修改的天数 · days in which phones give back after a restore
    #[arg(long, env = "WANHU_TAKES_BACK_DAYS", global = true)]
    pub takes_back_days: Option<u64>,
    /// 日志过滤 · log filter
    #[arg(long, env = "WANHU_LOG_FILTER", global = true)]
    pub log_filter: Option<String>,
    /// JSON 日志 · log as JSON
    #[arg(long, env = "WANHU_LOG_JSON", global = true)]
    pub log_json: bool,
}

impl Settings {
    /// The effective settings.
    ///
    /// # Errors
    /// Names the file or the setting that is wrong.
    pub fn load(args: SettingsArgs) -> Result<Self, SettingsError> {
        let mut settings = args.config.as_deref().map_or_else(|| Ok(Self::default()), from_file)?;
        let SettingsArgs { config: _, data_dir, listen, tls_certificate, tls_key, .. } = args;
        set(&mut settings.data_dir, data_dir);
        set(&mut settings.listen, listen);
        set(&mut settings.silence_seconds_max, args.silence_seconds_max);
        set(&mut settings.requests_max, args.requests_max);
        set(&mut settings.enrolment_code_minutes, args.enrolment_code_minutes);
        set(&mut settings.lease_days, args.lease_days);
        set(&mut settings.household_service, args.household_service);
        set(&mut settings.warn_by, args.warn_by);
        set(&mut settings.syncs_per_minute, args.syncs_per_minute);
        set(&mut settings.changes_per_day, args.changes_per_day);
        set(&mut settings.takes_back_days, args.takes_back_days);
        set(&mut settings.log_filter, args.log_filter);
        settings.tls_certificate = tls_certificate.or(settings.tls_certificate);
        settings.tls_key = tls_key.or(settings.tls_key);
        settings.regions = args.regions.or(settings.regions);
        settings.policy = args.policy.or(settings.policy);
        settings.storage_key = args.storage_key.or(settings.storage_key);
        settings.enrolment_approval |= args.enrolment_approval;
        settings.allow_plain_http |= args.allow_plain_http;
        settings.log_json |= args.log_json;
        settings.check()?;
        Ok(settings)
    }

    /// Where the key of the databases is.
    pub fn storage_key_file(&self) -> PathBuf {
        self.storage_key.clone().unwrap_or_else(|| self.data_dir.join("storage.key"))
    }

    fn check(&self) -> Result<(), SettingsError> {
        let bounds = [
            ("silence_seconds_max", self.silence_seconds_max, 5, 600),
            ("requests_max", self.requests_max, 1, 10_000),
            ("enrolment_code_minutes", self.enrolment_code_minutes, 1, 1_440),
            ("syncs_per_minute", self.syncs_per_minute, 1, 100_000),
            ("lease_days", self.lease_days, 0, 3_650),
            ("takes_back_days", self.takes_back_days, 1, 3_650),
            ("changes_per_day", self.changes_per_day, 1, 1_000_000_000),
        ];
        for (name, value, min, max) in bounds {
            if !(min..=max).contains(&value) {
                return Err(SettingsError::OutOfBounds { name, min, max });
            }
        }
        if self.tls_certificate.is_some() != self.tls_key.is_some() {
            return Err(SettingsError::TlsIncomplete);
        }
        Ok(())
    }
}

fn set<T>(setting: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *setting = value;
    }
}

fn from_file(path: &Path) -> Result<Settings, SettingsError> {
    let text = std::fs::read_to_string(path)
        .map_err(|_| SettingsError::Unreadable { path: path.to_owned() })?;
    toml::from_str(&text).map_err(|error| SettingsError::Malformed {
        path: path.to_owned(),
        reason: error.message().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(toml: &str, args: SettingsArgs) -> Result<Settings, SettingsError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("wanhu.toml");
        std::fs::write(&path, toml).unwrap();
        Settings::load(SettingsArgs { config: Some(path), ..args })
    }

    #[test]
    fn nothing_is_needed() {
        assert_eq!(Settings::load(SettingsArgs::default()).unwrap(), Settings::default());
    }

    #[test]
    fn flags_win_over_the_file() {
        let args = SettingsArgs { requests_max: Some(7), ..SettingsArgs::default() };
        let settings = load("requests_max = 9\nsilence_seconds_max = 30", args).unwrap();
        assert_eq!((settings.requests_max, settings.silence_seconds_max), (7, 30));
    }

    #[test]
    fn mistakes_are_named() {
        let load = |toml| load(toml, SettingsArgs::default()).unwrap_err().to_string();
        assert!(load("request_max = 9").contains("request_max"));
        assert!(load("requests_max = 0").contains("requests_max"));
        assert!(load("tls_key = 'k.pem'").contains("tls_certificate"));
    }
}
