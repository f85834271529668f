//! A real nginx under load, its logs renamed by a real logrotate meanwhile: every request made
//! arrives exactly once, parsed and redacted.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use pillion::receiver::{Options, Receiver, Stored};

use super::harness::{Agent, PATIENCE, Place, field, judge, number_after, until};

const REQUESTS: u64 = 40_000;
const CLIENTS: u64 = 4;
/// Every this many requests the logs are rotated.
const ROTATE_EVERY: u64 = 2_500;
/// Every this many requests one is for a file that is not there: it also goes to the error log.
const MISS_EVERY: u64 = 10;

/// Where Debian puts what a user's PATH may lack.
fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/usr/local/sbin";
    path.split(':').map(|dir| Path::new(dir).join(program)).find(|path| path.is_file())
}

struct Nginx {
    child: Child,
    port: u16,
}

impl Nginx {
    fn start(program: &Path, dir: &Path, logs: &Path) -> Self {
        let port = {
            let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
            listener.local_addr().expect("bound").port()
        };
        let (dir_text, logs) = (dir.display(), logs.display());
        let config = format!(
            "daemon off; pid {dir_text}/nginx.pid; worker_processes 2;\n\
             error_log {logs}/error.log error;\n\
             events {{ worker_connections 64; }}\n\
             http {{\n\
               access_log {logs}/access.log combined;\n\
               client_body_temp_path {dir_text}/t1; proxy_temp_path {dir_text}/t2;\n\
               fastcgi_temp_path {dir_text}/t3; uwsgi_temp_path {dir_text}/t4;\n\
               scgi_temp_path {dir_text}/t5; keepalive_requests 100000;\n\
               server {{ listen 127.0.0.1:{port}; root {dir_text};\n\
                 location /seq/ {{ return 200 'ok'; }}\n\
               }}\n\
             }}\n"
        );
        let path = dir.join("nginx.conf");
        fs::write(&path, config).expect("nginx.conf");
        let child = Command::new(program)
            .arg("-c")
            .arg(&path)
            .args(["-e", &format!("{dir_text}/start-errors.log")])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx starts");
        let up = until(PATIENCE, || {
            TcpStream::connect(("127.0.0.1", port)).is_ok() && dir.join("nginx.pid").exists()
        });
        assert!(up, "nginx does not listen");
        Self { child, port }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // SIGTERM to the master, so that its workers end too.
        if let Ok(pid) = i32::try_from(self.child.id())
            && let Some(pid) = rustix::process::Pid::from_raw(pid)
        {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let _ = self.child.wait();
    }
}

/// One of the clients: its share of the requests over one kept-alive connection.
fn request_all(port: u16, client: u64, made: &AtomicU64) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("nginx listens");
    stream.set_nodelay(true).expect("a socket");
    let mut answer = [0_u8; 4096];
    for seq in (client..REQUESTS).step_by(CLIENTS as usize) {
        let path = if seq.is_multiple_of(MISS_EVERY) { "missing" } else { "seq" };
        let request = format!(
            "GET /{path}/{seq}?email=user{seq}@example.com HTTP/1.1\r\nHost: shop\r\n\
             User-Agent: load/{client}\r\nReferer: https://shop.example/?who=jane{seq}%40example.org\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).expect("nginx takes the request");
        // Answers are short; each is read whole before the next request.
        let mut read = Vec::new();
        loop {
            let count = stream.read(&mut answer).expect("nginx answers");
            assert!(count > 0, "nginx closed the connection");
            read.extend_from_slice(&answer[..count]);
            if is_whole(&read) {
                break;
            }
        }
        made.fetch_add(1, Ordering::SeqCst);
    }
}

fn is_whole(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = number_after(head, "Content-Length: ").expect("a length");
    body.len() as u64 >= length
}

fn rotate(program: &Path, dir: &Path, logs: &Path) {
    let config = dir.join("logrotate.conf");
    let text = format!(
        "{}/*.log {{\n  rotate 50\n  missingok\n  ifempty\n  nocompress\n  create 0644 root root\n  \
         sharedscripts\n  postrotate\n    kill -USR1 $(cat {}/nginx.pid)\n  endscript\n}}\n",
        logs.display(),
        dir.display()
    );
    fs::write(&config, text).expect("logrotate.conf");
    let done = Command::new(program)
        .arg("--force")
        .arg("--state")
        .arg(dir.join("logrotate.state"))
        .arg(&config)
        .output()
        .expect("logrotate runs");
    assert!(done.status.success(), "logrotate: {}", String::from_utf8_lossy(&done.stderr));
}

#[test]
fn every_request_to_a_real_nginx_arrives_once_parsed_and_redacted() {
    let (Some(nginx), Some(logrotate)) = (find("nginx"), find("logrotate")) else {
        assert!(
            std::env::var_os("PILLION_REQUIRE_NGINX").is_none(),
            "nginx and logrotate are required here and not installed"
        );
        println!("skipped: nginx or logrotate is not installed (apt-get install nginx logrotate)");
        return;
    };
    let place = Place::new();
    let (dir, logs) = (place.dir.path().to_owned(), place.logs());
    let receiver = Receiver::start(Options::default()).expect("receiver");
    let config = place.configure(&format!(
        "state: {{state}}\nadmin: off\n\
         sources:\n  \
           access: {{files: ['{{logs}}/access.log'], parser: nginx}}\n  \
           errors: {{files: ['{{logs}}/error.log'], parser: nginx_error}}\n\
         destinations:\n  search:\n    \
           elasticsearch: {{url: '{}', index: logs-nginx-default}}\n    batch: {{linger: 50ms}}\n",
        receiver.url()
    ));
    let agent = Agent::start(&config, &[]);
    let server = Nginx::start(&nginx, &dir, &logs);
    let made = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (made, port) = (&made, server.port);
            scope.spawn(move || request_all(port, client, made));
        }
        for turn in 1..REQUESTS / ROTATE_EVERY {
            let reached = until(PATIENCE, || made.load(Ordering::SeqCst) >= turn * ROTATE_EVERY);
            assert!(reached, "the load stands still");
            rotate(&logrotate, &dir, &logs);
        }
    });
    let errors = REQUESTS / MISS_EVERY;
    let all = receiver.wait_for(PATIENCE, |requests| requests.stored >= REQUESTS + errors);
    let (status, log) = agent.terminate();
    assert!(all, "not all arrived: {:?}\n{}", receiver.requests(), log.join("\n"));
    assert!(status.success(), "exit {status}:\n{}", log.join("\n"));

    let stored = receiver.documents();
    let (access, errors): (Vec<_>, Vec<_>) = stored
        .iter()
        .partition(|stored| field(stored, "log.file.path").as_str().unwrap().contains("access"));
    let target = |stored: &&Stored| field(stored, "url.original").as_str().unwrap().to_owned();
    let arrived = access.iter().filter_map(|stored| {
        let target = target(stored);
        number_after(&target, "/seq/").or_else(|| number_after(&target, "/missing/"))
    });
    assert_eq!(judge(0..REQUESTS, arrived), Default::default());
    let missed = errors
        .iter()
        .filter_map(|stored| number_after(field(stored, "message").as_str().unwrap(), "/missing/"));
    assert_eq!(judge((0..REQUESTS).step_by(MISS_EVERY as usize), missed), Default::default());

    for stored in &access {
        let miss = target(stored).starts_with("/missing/");
        assert_eq!(field(stored, "http.response.status_code"), if miss { 404 } else { 200 });
        assert_eq!(field(stored, "http.request.method"), "GET");
        assert_eq!(field(stored, "source.ip"), "127.0.0.1");
        assert!(target(stored).ends_with("?email=[EMAIL]"), "{}", target(stored));
    }
    for stored in &stored {
        let text = stored.document.to_string();
        assert!(!text.contains("@example.com"), "leaked: {text}");
        assert!(!text.contains("40example.org"), "leaked: {text}");
    }
    let rotated = fs::read_dir(&logs).expect("logs").count();
    assert!(rotated >= 2 * 15, "logrotate renamed too few files: {rotated}");
}
