import ClubProtocol
import Postgres

// Columns store the raw values of the protocol.
extension Event.Kind: PostgresEncodable, PostgresDecodable {}
extension Event.State: PostgresEncodable, PostgresDecodable {}
extension Session.Kind: PostgresEncodable, PostgresDecodable {}
extension Registration.State: PostgresEncodable, PostgresDecodable {}
