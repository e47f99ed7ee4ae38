//! Two phones behind a translator each, and a TURN server between them; every place is a network namespace.
//!
//! ```text
//!  alice 192.168.1.2 ── nat 10.77.1.2 ──┐
//!                                       public 10.77.1.1, 10.77.2.1: coturn
//!  bob   192.168.1.2 ── nat 10.77.2.2 ──┘
//! ```

use std::fs::File;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsFd as _;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use media_io::{IceServers, Secret, TurnConfig};
use nix::sched::{CloneFlags, setns};

/// The address of a phone; both have the same.
const PHONE: &str = "192.168.1.2";
const USER: &str = "alice";
pub(crate) const PASSWORD: &str = "a-password";

/// What a translator does with a port.
#[derive(Clone, Copy)]
pub(crate) enum Translation {
    /// It keeps it for every destination.
    Kept,
    /// Every destination sees another one ("symmetric").
    Random,
}

pub(crate) struct Network {
    prefix: String,
    coturn: Option<Child>,
    folder: tempfile::TempDir,
}

impl Network {
    /// The network with coturn in it; a sentence if this machine cannot have it.
    pub(crate) fn new(translation: Translation) -> Result<Self, String> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        for program in ["ip", "nft", "turnserver"] {
            let found = Command::new("sh")
                .args(["-c", &format!("command -v {program}")])
                .stdout(Stdio::null())
                .status();
            if !found.is_ok_and(|status| status.success()) {
                return Err(format!("{program} is not installed: run scripts/setup"));
            }
        }
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let mut network = Self {
            prefix: format!("reach{}-{number}", std::process::id()),
            coturn: None,
            folder: tempfile::tempdir().map_err(|error| error.to_string())?,
        };
        network.build(translation)?;
        network.start_coturn()?;
        Ok(network)
    }

    fn name(&self, place: &str) -> String {
        format!("{}{place}", self.prefix)
    }

    fn build(&self, translation: Translation) -> Result<(), String> {
        for place in ["p", "n1", "n2", "h1", "h2"] {
            run(&format!("ip netns add {}", self.name(place)))?;
            run(&format!("ip -n {} link set lo up", self.name(place)))?;
        }
        self.write_switch("p")?;
        // As in the world outside, what is for private addresses is sent and lost: coturn gives a relay up that has no route.
        self.ip("p", "link add void type dummy")?;
        self.ip("p", "link set void up")?;
        self.ip("p", "route add default dev void")?;
        for side in ["1", "2"] {
            let (nat, phone) = (format!("n{side}"), format!("h{side}"));
            self.wire(
                "p",
                &format!("wan{side}"),
                &format!("10.77.{side}.1"),
                &nat,
                "wan",
                &format!("10.77.{side}.2"),
            )?;
            self.wire(&nat, "lan", "192.168.1.1", &phone, "eth", PHONE)?;
            self.ip(&nat, &format!("route add default via 10.77.{side}.1"))?;
            self.ip(&phone, "route add default via 192.168.1.1")?;
            self.write_switch(&nat)?;
            self.translate(&nat, translation)?;
        }
        Ok(())
    }

    fn wire(
        &self,
        from: &str,
        device: &str,
        address: &str,
        to: &str,
        far_device: &str,
        far: &str,
    ) -> Result<(), String> {
        let there = self.name(to);
        self.ip(
            from,
            &format!("link add {device} type veth peer name {far_device} netns {there}"),
        )?;
        for (place, device, address) in [(from, device, address), (to, far_device, far)] {
            self.ip(place, &format!("addr add {address}/24 dev {device}"))?;
            self.ip(place, &format!("link set {device} up"))?;
        }
        Ok(())
    }

    fn ip(&self, place: &str, words: &str) -> Result<(), String> {
        run(&format!("ip -n {} {words}", self.name(place)))
    }

    fn write_switch(&self, place: &str) -> Result<(), String> {
        run(&format!(
            "ip netns exec {} sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'",
            self.name(place)
        ))
    }

    /// What nobody inside asked for is dropped before it is remembered, as translators at home do.
    fn translate(&self, place: &str, translation: Translation) -> Result<(), String> {
        let how = match translation {
            Translation::Kept => "",
            Translation::Random => "fully-random",
        };
        let rules = format!(
            "table ip nat {{
                chain out {{ type nat hook postrouting priority 100; oifname wan masquerade {how}; }}
                chain in {{ type filter hook input priority 0; iifname wan ct state new drop; }}
                chain through {{ type filter hook forward priority 0; iifname wan ct state new drop; }}
            }}"
        );
        let file = self.folder.path().join(place);
        std::fs::write(&file, rules).map_err(|error| error.to_string())?;
        run(&format!(
            "ip netns exec {} nft -f {}",
            self.name(place),
            file.display()
        ))
    }

    fn start_coturn(&mut self) -> Result<(), String> {
        let folder = self.folder.path();
        let config = folder.join("turnserver.conf");
        let (log, database) = (folder.join("log"), folder.join("users"));
        let text = format!(
            "listening-ip=10.77.1.1\nrelay-ip=10.77.1.1\nlistening-port=3478\nmin-port=50000\nmax-port=50999\n\
             lt-cred-mech\nuser={USER}:{PASSWORD}\nrealm=tandem\nno-tls\nno-dtls\nno-cli\nuser-quota=4\nfingerprint\n\
             simple-log\nverbose\nlog-file={}\nuserdb={}\npidfile={}\n",
            log.display(),
            database.display(),
            folder.join("pid").display()
        );
        std::fs::write(&config, text).map_err(|error| error.to_string())?;
        let child = Command::new("ip")
            .args(["netns", "exec", &self.name("p"), "turnserver", "-c"])
            .arg(&config)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        self.coturn = Some(child.map_err(|error| error.to_string())?);
        Ok(())
    }

    /// Runs `work` where a phone is: what it binds stays there.
    pub(crate) fn at_phone<T>(&self, side: u8, work: impl FnOnce(IpAddr) -> T) -> T {
        let home = File::open("/proc/thread-self/ns/net").unwrap();
        let there = format!("/run/netns/{}", self.name(&format!("h{side}")));
        setns(File::open(there).unwrap().as_fd(), CloneFlags::CLONE_NEWNET).unwrap();
        let result = work(PHONE.parse().unwrap());
        setns(home.as_fd(), CloneFlags::CLONE_NEWNET).unwrap();
        result
    }
}

/// coturn as STUN server.
pub(crate) fn stun() -> IceServers {
    IceServers {
        stun: Some(server()),
        turn: None,
    }
}

/// coturn as TURN server.
pub(crate) fn turn(password: &str) -> IceServers {
    IceServers {
        stun: None,
        turn: Some(TurnConfig {
            server: server(),
            username: USER.to_owned(),
            password: Secret::new(password.to_owned()),
        }),
    }
}

pub(crate) fn server() -> SocketAddr {
    "10.77.1.1:3478".parse().unwrap()
}

impl Drop for Network {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.folder.path().join("log"));
            eprintln!("coturn said:\n{}", log.unwrap_or_default());
        }
        if let Some(coturn) = &mut self.coturn {
            let _ = coturn.kill();
            let _ = coturn.wait();
        }
        for place in ["h1", "h2", "n1", "n2", "p"] {
            let _ = run(&format!("ip netns del {}", self.name(place)));
        }
    }
}

fn run(command: &str) -> Result<(), String> {
    let done = Command::new("sh").args(["-c", command]).output();
    match done {
        Ok(done) if done.status.success() => Ok(()),
        Ok(done) => {
            let said = String::from_utf8_lossy(&done.stderr);
            Err(format!("{command}: {}", said.trim()))
        }
        Err(error) => Err(format!("{command}: {error}")),
    }
}
