import ClubProtocol
import Postgres

/// The words of this service bind to statements and read from columns as they are written.
extension Resource.Kind: PostgresEncodable, PostgresDecodable {}
extension ClubProtocol.Issue.State: PostgresEncodable, PostgresDecodable {}
extension IssueItem.Kind: PostgresEncodable, PostgresDecodable {}
extension Edition.Audience: PostgresEncodable, PostgresDecodable {}
extension Delivery.State: PostgresEncodable, PostgresDecodable {}
extension Suppression.Reason: PostgresEncodable, PostgresDecodable {}
extension Letter.State: PostgresEncodable, PostgresDecodable {}
extension Letter.Purpose: PostgresEncodable, PostgresDecodable {}
