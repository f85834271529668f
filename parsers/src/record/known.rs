//! pillion's own field names: what a declared format calls the things that many formats have.
//!
//! A destination maps these (to ECS for Elasticsearch); every other key is the application's own.

macro_rules! known {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+) => {
        /// A field name that pillion itself gives. The name is the record's vocabulary, as `replay`
        /// prints it. A word in size, as what else a key may be.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u64)]
        pub enum Known {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Known {
            /// Every known name.
            pub const ALL: &'static [Known] = &[$(Known::$variant,)+];

            /// The name in a Record.
            #[inline]
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Known::$variant => $name,)+ }
            }

            /// The known field of that name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Known> {
                match name { $($name => Some(Known::$variant),)+ _ => None }
            }
        }
    };
}

known! {
    /// Address of the peer that made the request.
    ClientIp = "client_ip",
    /// Name the peer authenticated as.
    User = "user",
    /// RFC 1413 identity of an access log; almost always absent.
    Ident = "ident",
    /// Request method.
    Method = "method",
    /// Request target as sent: path and query.
    Target = "target",
    /// Protocol and version, as `HTTP/1.1`.
    Protocol = "protocol",
    /// Response status code.
    Status = "status",
    /// Bytes of the response body.
    Bytes = "bytes",
    /// The `Referer` header.
    Referrer = "referrer",
    /// The `User-Agent` header.
    UserAgent = "user_agent",
    /// The virtual host asked for.
    VirtualHost = "vhost",
    /// The host a record names as its origin (syslog).
    Host = "host",
    /// The program a record names as its origin (syslog's APP-NAME or TAG).
    Program = "program",
    /// Process number.
    Pid = "pid",
    /// Thread name or number.
    Thread = "thread",
    /// Logger's name.
    Logger = "logger",
    /// Syslog facility number.
    Facility = "facility",
    /// Syslog severity number.
    Severity = "severity",
    /// Syslog MSGID.
    MessageId = "msgid",
    /// Syslog structured data, as written.
    StructuredData = "structured_data",
    /// `stdout` or `stderr` of a container.
    Stream = "stream",
    /// nginx connection number.
    Connection = "connection",
    /// Error class of a stack trace.
    ErrorType = "error_type",
    /// Stack trace, with its first line.
    StackTrace = "stack_trace",
    /// Trace identifier (W3C, 32 hex digits).
    TraceId = "trace_id",
    /// Span identifier (16 hex digits).
    SpanId = "span_id",
    // What loggers of applications say.
    /// Source file that a record was written in.
    File = "file",
    /// Line in that file.
    Line = "line",
    /// Function, or method, that a record was written in.
    Function = "function",
    /// What an error says of itself, beside the record's message.
    ErrorMessage = "error_message",
    /// What tells a request from others.
    RequestId = "request_id",
    // What servers and proxies say of a request.
    /// Port of the peer that made the request.
    ClientPort = "client_port",
    /// Address that the peer connected to.
    ServerIp = "server_ip",
    /// Port that the peer connected to.
    ServerPort = "server_port",
    /// Server that a proxy passed the request to, with its port; of several, a list.
    UpstreamAddress = "upstream_address",
    /// The `X-Forwarded-For` header.
    ForwardedFor = "forwarded_for",
    /// Bytes of the request, its header included.
    RequestBytes = "request_bytes",
    /// Bytes of the request's body.
    RequestBodyBytes = "request_body_bytes",
    /// Bytes of the response, its header included.
    ResponseBytes = "response_bytes",
    /// Media type of the response's body.
    ContentType = "content_type",
    /// Code or number of an error.
    ErrorCode = "error_code",
    /// TLS cipher suite.
    TlsCipher = "tls_cipher",
    /// TLS version, as the program calls it.
    TlsProtocol = "tls_protocol",
    /// How long it took, in nanoseconds.
    Duration = "duration",
    // What a system's services say.
    /// What was done, as the program calls it.
    Action = "action",
    /// Why.
    Reason = "reason",
    /// What tells an event's kind from others, to the program.
    EventId = "event_id",
    /// The user as whom something was done, where that is another than the one who did it.
    RunAs = "run_as",
    /// Number of a user.
    Uid = "uid",
    /// A command with its arguments.
    CommandLine = "command_line",
    /// The directory that a command ran in.
    WorkingDirectory = "working_directory",
    /// The name of a cluster's node.
    Node = "node",
    /// A mail's sender, as its envelope says.
    MailFrom = "mail_from",
    /// A mail's recipient, as its envelope says.
    MailTo = "mail_to",
    /// The `Message-ID` of a mail.
    MailMessageId = "mail_message_id",
    /// What a mail server calls a mail while it has it.
    QueueId = "queue_id",
}

#[cfg(test)]
mod tests {
    use super::Known;

    #[test]
    fn names_are_unique_and_found_again() {
        for known in Known::ALL {
            assert_eq!(Known::from_name(known.name()), Some(*known));
        }
    }
}
