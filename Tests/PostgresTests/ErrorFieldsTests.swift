import NIOCore
import Testing

@testable import Postgres

@Suite("The fields of an error") struct ErrorFieldsTests {
    private func fields(_ texts: String...) -> ErrorFields? {
        ErrorFields(reading: ByteBuffer(string: texts.map { "\($0)\0" }.joined() + "\0"))
    }

    @Test("are read whatever others there are")
    func reading() {
        let all = fields(
            "SFEHLER", "VERROR", "C23505", "Mtext", "Dvalue", "Hhint", "P12", "p3", "q", "W", "sclub", "tthing", "cn",
            "dint", "nthing_pkey", "Fnbtinsert.c", "L666", "R_bt_check_unique", "Znew")
        #expect(
            all
                == ErrorFields(
                    sqlState: "23505", message: "text", severity: "ERROR", position: 12, table: "thing", column: "n",
                    constraint: "thing_pkey", function: "_bt_check_unique"))
        #expect(fields("C23505", "Px")?.position == nil)
    }

    @Test("are none if the message is malformed, or has no SQLSTATE")
    func malformed() {
        for text in ["", "\0", "C", "C23505", "C23505\0", "Mtext\0\0", "C\0\0", "C23505\0\0x", "C23505\0\0\0"] {
            #expect(ErrorFields(reading: ByteBuffer(string: text)) == nil)
        }
    }

    @Test("are told without what may quote values")
    func rule() throws {
        func error(_ texts: String...) throws -> PostgresError {
            PostgresError.server(try #require(fields(texts.joined(separator: "\0"))))
        }
        let unique = try error("C23505", "Mvalue", "tthing", "nthing_pkey")
        #expect(unique.kind == .server)
        #expect(unique.description == "postgres server 23505: unique_violation table=thing constraint=thing_pkey")
        #expect(try error("C42P01", "Mrelation \"x\" is unknown", "P15").message.hasSuffix("\"x\" is unknown"))
        #expect(try error("C42601", "Mvalue", "P15").message == "syntax_error at character 15")
        #expect(try error("C22P02", "Mvalue", "P15").message == "invalid_text_representation at character 15")
        #expect(try error("C42501", "Mpermission denied for table thing").message.hasPrefix("permission denied"))
        #expect(try error("C57014", "Mx").kind == .timeout)
        #expect(try error("C57P01", "Mx").kind == .connection)
        #expect(try error("CXX999", "Mvalue").message == "SQLSTATE XX999")
    }

    @Test("tell whether a prepared statement is stale")
    func stale() throws {
        #expect(PostgresError.isStaleStatement(try #require(fields("C26000"))))
        #expect(PostgresError.isStaleStatement(try #require(fields("C0A000", "RRevalidateCachedQuery"))))
        #expect(!PostgresError.isStaleStatement(try #require(fields("C0A000", "Rother"))))
        #expect(!PostgresError.isStaleStatement(try #require(fields("C42P01", "RRevalidateCachedQuery"))))
    }
}
