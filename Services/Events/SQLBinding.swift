import ClubProtocol
import Postgres

// The words of the protocol are the words in the columns.
extension Event.Kind: PostgresEncodable, PostgresDecodable {}
extension Event.State: PostgresEncodable, PostgresDecodable {}
extension Session.Kind: PostgresEncodable, PostgresDecodable {}
extension Registration.State: PostgresEncodable, PostgresDecodable {}
