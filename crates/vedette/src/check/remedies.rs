//! What to do about an error, found by the beginning of its message.

const REMEDIES: &[(&str, &str)] = &[
    ("argument couldn't be parsed into an integer", "write one whole number, without a unit"),
    ("argument must be between", "choose a value within these limits"),
    ("argument must be 'yes' or 'no'", "write yes or no"),
    ("argument(s) must be one of", "choose one of these words"),
    ("argument must be a memory value", "write a number with an optional unit: k kb m mb g gb"),
    ("argument couldn't be parsed as an octal number", "write octal digits, for instance 770"),
    (
        "wrong number of arguments",
        "give exactly the values that the directive takes; a comment needs a line of its own, and \
         a value with blanks needs quotes",
    ),
    (
        "Bad directive",
        "correct the name, or take the line out; a comment starts with #, and settings of a master \
         start with the word sentinel",
    ),
    (
        "Unrecognized sentinel configuration statement",
        "check the second word and the number of values; a comment needs a line of its own, and a \
         value with blanks needs quotes",
    ),
    ("Unbalanced quotes", "close the quote, and let a blank follow it"),
    (
        "Quorum must be 1 or greater",
        "write: sentinel monitor <name> <host> <port> <quorum>; the quorum is usually the majority",
    ),
    (
        "Can't resolve instance hostname",
        "write an IP address, or add the line: sentinel resolve-hostnames yes",
    ),
    ("Invalid port number", "write a port from 1 to 65535"),
    ("Duplicate master name", "keep one monitor line for each name"),
    ("Duplicate runid for sentinel", "keep the line with the present address"),
    ("No such master with specified name", "add its monitor line, or take this line out"),
    ("negative or zero time parameter", "write milliseconds, for instance 5000"),
    ("negative time parameter", "write milliseconds; 0 switches it off"),
    (
        "Notification script seems",
        "create the script and make it executable: chmod 755; the path is seen from `dir`",
    ),
    (
        "Client reconfiguration script seems",
        "create the script and make it executable: chmod 755; the path is seen from `dir`",
    ),
    (
        "Malformed Sentinel id",
        "take the line out: a Sentinel without an id makes itself one, and finds the others again",
    ),
    ("Same command renamed multiple times", "keep one rename-command line for each command"),
    ("Please specify yes or no", "write yes or no"),
    ("Fatal error, can't open config file", "create the file, or correct its path"),
    ("No such file or directory", "create it, or correct the path"),
    ("Permission denied", "let the user that runs the Sentinel in"),
    ("No tls-", "name the file with that directive"),
    ("Either tls-ca-cert-file or", "set tls-ca-cert-file to the certificate of your authority"),
    ("Failed to load certificate", "name a PEM file with the certificate, then its chain"),
    ("Failed to load private key", "name a PEM file with the key of that very certificate"),
    (
        "Failed to configure CA certificate(s)",
        "name a PEM file, or a folder after 'openssl rehash'",
    ),
    ("Failed to configure cipher", "take the named cipher out, or the whole line"),
    ("Invalid tls-protocols", "write: tls-protocols \"TLSv1.2 TLSv1.3\""),
    ("Error in user declaration", "declare each user once, in the language of ACL SETUSER"),
    ("No such command in rename-command", "name a command of a Sentinel, for instance SHUTDOWN"),
];

/// The operator's next step.
pub(super) fn remedy(message: &str) -> &'static str {
    let fitting = REMEDIES.iter().find(|(start, _)| message.starts_with(start));
    fitting.map_or("correct the line, or take it out", |(_, remedy)| remedy)
}
