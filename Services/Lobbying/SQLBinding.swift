import ClubProtocol
import Postgres

// Columns store the raw values of the protocol.
extension Official.Kind: PostgresEncodable, PostgresDecodable {}
extension Invitation.State: PostgresEncodable, PostgresDecodable {}
