import ClubProtocol
import Postgres

/// Columns store the raw values of the protocol.
extension Resource.Kind: PostgresEncodable, PostgresDecodable {}
extension ClubProtocol.Issue.State: PostgresEncodable, PostgresDecodable {}
extension IssueItem.Kind: PostgresEncodable, PostgresDecodable {}
extension Edition.Audience: PostgresEncodable, PostgresDecodable {}
extension Delivery.State: PostgresEncodable, PostgresDecodable {}
extension Suppression.Reason: PostgresEncodable, PostgresDecodable {}
extension Letter.State: PostgresEncodable, PostgresDecodable {}
extension Letter.Purpose: PostgresEncodable, PostgresDecodable {}
