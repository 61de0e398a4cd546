import ClubProtocol
import Postgres
import ServiceKit

extension Topic: PostgresEncodable, PostgresDecodable {}
extension Tier: PostgresEncodable, PostgresDecodable {}
extension Region: PostgresEncodable, PostgresDecodable {}
extension Organization.Kind: PostgresEncodable {}
extension Organization.SubKind: PostgresEncodable {}
extension Mandate.Kind: PostgresEncodable {}
extension Expert.SubKind: PostgresEncodable {}
extension Freshness: PostgresEncodable {}
extension Standing.Status: PostgresEncodable {}
extension IBAN: PostgresDecodable {}
extension Payment.Means: PostgresEncodable, PostgresDecodable {}
