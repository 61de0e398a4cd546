import Testing

@testable import Postgres

@Suite("Connection strings") struct ConnectionStringTests {
    typealias InvalidURL = PostgresConfiguration.InvalidURL

    @Test("as URIs: every part is optional and percent-encoded")
    func uris() throws {
        for (text, values) in [
            ("postgres://", [:]),
            ("postgresql://", [:]),
            ("postgres:///", [:]),
            ("postgres://?", [:]),
            ("postgres:///?", [:]),
            ("postgres://localhost", ["host": "localhost"]),
            ("postgres://localhost:5433", ["host": "localhost", "port": "5433"]),
            ("postgres://localhost/mydb", ["host": "localhost", "dbname": "mydb"]),
            ("postgres://user@localhost", ["user": "user", "host": "localhost"]),
            ("postgres://user:secret@localhost", ["user": "user", "password": "secret", "host": "localhost"]),
            ("postgres://user:se:cret@localhost", ["user": "user", "password": "se:cret", "host": "localhost"]),
            ("postgres://user:p%40s%2Fs%3A%25@h", ["user": "user", "password": "p@s/s:%", "host": "h"]),
            ("postgres://user: a+b#?@h", ["user": "user", "password": " a+b#?", "host": "h"]),
            ("postgres://:secret@h", ["password": "secret", "host": "h"]),
            ("postgres://user:@h", ["user": "user", "host": "h"]),
            ("postgres://@h", ["host": "h"]),
            ("postgres://user@", ["user": "user"]),
            ("postgres://[::1]@h", ["user": "[", "password": ":1]", "host": "h"]),
            ("postgres://%c3%a9@h", ["user": "é", "host": "h"]),
            // A slash ends what may be credentials.
            ("postgres://user:a/b@h", ["host": "user", "port": "a", "dbname": "b@h"]),
            ("postgres:///mydb", ["dbname": "mydb"]),
            ("postgres:///my%20db/more", ["dbname": "my db/more"]),
            ("postgres://:5433/mydb", ["port": "5433", "dbname": "mydb"]),
            ("postgres://h:/mydb", ["host": "h", "dbname": "mydb"]),
            ("postgres://h?user=a", ["host": "h", "user": "a"]),
            ("postgres://h/d?user=a&port=1&", ["host": "h", "dbname": "d", "user": "a", "port": "1"]),
            ("postgres://h/d?host=/tmp", ["host": "/tmp", "dbname": "d"]),
            ("postgres:///d?host=%2Ftmp&port=1", ["host": "/tmp", "port": "1", "dbname": "d"]),
            ("postgres://%2Fvar%2Frun/d", ["host": "/var/run", "dbname": "d"]),
            ("postgres://%2Ftmp:5433", ["host": "/tmp", "port": "5433"]),
            ("postgres://[::1]", ["host": "::1"]),
            ("postgres://u@[2001:db8::1]:5433/d", ["user": "u", "host": "2001:db8::1", "port": "5433", "dbname": "d"]),
            ("postgres://[fe80::1%25eth0]?user=a", ["host": "fe80::1%eth0", "user": "a"]),
            ("postgres://a,b", ["host": "a,b", "port": ","]),
            ("postgres://a:1,b:2/d", ["host": "a,b", "port": "1,2", "dbname": "d"]),
            ("postgres://a:1,[::1],%2Ftmp:3/d", ["host": "a,::1,/tmp", "port": "1,,3", "dbname": "d"]),
            ("postgres://,", ["host": ",", "port": ","]),
            ("postgres://h?ssl=true", ["host": "h", "sslmode": "require"]),
            (
                "postgres://h?sslmode=verify-full&sslrootcert=",
                ["host": "h", "sslmode": "verify-full", "sslrootcert": ""]
            ),
            ("postgres://h?requiressl=1", ["host": "h", "sslmode": "require"]),
            ("postgres://h?%75ser=a%3Db%26c", ["host": "h", "user": "a=b&c"]),
            ("postgres://h?user=a&user=b", ["host": "h", "user": "b"]),
            ("postgres://h?options=-c%20geqo%3Doff", ["host": "h", "options": "-c geqo=off"]),
        ] as [(String, [String: String])] {
            #expect(try ConnectionString.parse(text) == values, "\(text)")
        }
    }

    @Test("as keywords with values: with spaces, quotes and backslashes")
    func pairs() throws {
        for (text, values) in [
            ("", [:]),
            (" \t\n\u{0B}\u{0C}\r", [:]),
            ("host=/tmp dbname='a b' user=b", ["host": "/tmp", "dbname": "a b", "user": "b"]),
            (" host = a\tport\n=\r1 ", ["host": "a", "port": "1"]),
            ("host= port=1", ["host": "port=1"]),
            ("host='' port=1", ["host": "", "port": "1"]),
            ("host=", ["host": ""]),
            ("password='it\\'s \\\\ \\n'", ["password": "it's \\ n"]),
            ("password=it\\'s\\ \\\\", ["password": "it's \\"]),
            ("password=a'b'c user=d", ["password": "a'b'c", "user": "d"]),
            ("password=a\\", ["password": "a"]),
            ("host='a'port='1'", ["host": "a", "port": "1"]),
            ("host=a=b", ["host": "a=b"]),
            ("host=a host=b", ["host": "b"]),
            ("user=é", ["user": "é"]),
            ("user=%41", ["user": "%41"]),
            ("requiressl=0", ["sslmode": "prefer"]),
        ] as [(String, [String: String])] {
            #expect(try ConnectionString.parse(text) == values, "\(text)")
        }
    }

    @Test("that are malformed are refused")
    func malformed() {
        for text in [
            "postgres://%", "postgres://%4", "postgres://%zz@h", "postgres://%00@h", "postgres://h/%0g",
            "postgres://%ff@h", "postgres://[]", "postgres://[::1", "postgres://[::1]x",
            "postgres://h?user", "postgres://h?&user=a", "postgres://h?user=a&&port=1", "postgres://h?user=a=b",
            "postgres://h?user=%", "mysql", "mysql://h", "Postgres://h", "postgres:/h", "host", "host a",
            "host=a port", "host='a", "host='a\\'", "host='a\\", "host=a\u{0}", "postgres://h\u{0}",
        ] {
            let error = #expect(throws: InvalidURL.self, "\(text)") { try ConnectionString.parse(text) }
            #expect(error?.reason == .malformed, "\(text)")
        }
    }

    @Test("with an unknown keyword are refused, and the keyword is not repeated")
    func unknown() {
        for text in [
            "postgres://h?hunter2=1", "postgres://h?Host=a", "postgres://h?=a", "postgres://h?ssl=false",
            "postgres://u:p?ho@h&st=1@x?hunter2=", "hunter2=1", "HOST=a", "=a", "postgres://h?host\u{301}=a",
            "h\u{F6}st=a", "authtype=x", "tty=x",
        ] {
            let error = #expect(throws: InvalidURL.self, "\(text)") { try ConnectionString.parse(text) }
            #expect(error?.reason == .unknownKeyword, "\(text)")
            #expect(error?.description.contains("hunter2") == false)
        }
    }

    @Test("that ask for what is not supported are refused with the keyword, but not its value")
    func unsupported() {
        for keyword in [
            "service", "servicefile", "krbsrvname", "gsslib", "requirepeer", "sslcrl", "sslcrldir", "sslpassword",
            "sslkeylogfile", "scram_client_key", "scram_server_key", "oauth_issuer", "oauth_client_id",
            "oauth_client_secret", "oauth_scope",
        ] {
            let error = #expect(throws: InvalidURL.self) { try ConnectionString.parse("\(keyword)=hunter2") }
            #expect(error?.reason == .unsupported(keyword))
            #expect(error?.description == "not usable: \(keyword) is not supported")
            #expect(throws: Never.self) { try ConnectionString.parse("\(keyword)=''") }
        }
        for (keyword, refused, accepted) in [
            ("sslmode", ["on", "Require", "verify"], ["disable", "allow", "prefer", "require", "verify-ca"]),
            ("sslcertmode", ["require", "x"], ["disable", "allow"]),
            ("sslnegotiation", ["direct"], ["postgres"]),
            ("sslsni", ["0", "x"], ["1"]),
            ("ssl_min_protocol_version", ["TLSv1.3", "SSLv3"], ["TLSv1", "TLSv1.2"]),
            ("ssl_max_protocol_version", ["TLSv1.2"], ["TLSv1.3"]),
            ("sslcompression", [], ["0", "1"]),
            ("channel_binding", ["require", "x"], ["disable", "prefer"]),
            ("gssencmode", ["require", "x"], ["disable", "prefer"]),
            ("gssdelegation", ["1"], ["0"]),
            ("replication", ["true", "database", "on", "1"], ["false", "off", "no", "0"]),
            ("client_encoding", ["LATIN1", "SQL_ASCII"], ["UTF8", "utf-8", "auto"]),
            ("target_session_attrs", ["primary ", "master"], ["any", "read-only", "prefer-standby"]),
            ("load_balance_hosts", ["on"], ["disable", "random"]),
            ("min_protocol_version", ["3.2", "latest"], ["3.0"]),
            ("max_protocol_version", ["2.0"], ["3.0", "3.2", "latest"]),
        ] {
            for value in refused {
                let error = #expect(throws: InvalidURL.self, "\(keyword)=\(value)") {
                    try ConnectionString.parse("\(keyword)='\(value)'")
                }
                #expect(error?.reason == .wrongValue(of: keyword))
            }
            for value in accepted {
                #expect(throws: Never.self, "\(keyword)=\(value)") { try ConnectionString.parse("\(keyword)=\(value)") }
            }
        }
        // Only the value that counts.
        #expect(throws: Never.self) { try ConnectionString.parse("gssencmode=require gssencmode=disable") }
    }
}
