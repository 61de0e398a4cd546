import ClubProtocol
import Postgres

// The words of the protocol are the words in the columns.
extension Official.Kind: PostgresEncodable, PostgresDecodable {}
extension Invitation.State: PostgresEncodable, PostgresDecodable {}
