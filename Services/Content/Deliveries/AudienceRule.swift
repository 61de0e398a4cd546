import ClubProtocol
import Postgres

/// Which of the readers that the directory lists get a delivery of an issue: conditions on a row `reader` with its
/// `email` and its `subject`.
enum AudienceRule {
    /// Nobody who was erased.
    static let isKnown: SQL = """
        not exists (select from erased_address where hash = address_hash(reader.email))
            and not exists (select from erased_reader where erased_reader.id = reader.subject)
        """

    /// Nobody who has a delivery already, at whichever address.
    static func isLate(for issue: Issue.ID) -> SQL {
        """
        not exists (select from delivery where issue = \(issue) and lower(delivery.email) = lower(reader.email))
            and not exists (
                select from delivery where delivery.reader = reader.subject and delivery.issue = \(issue))
        """
    }

    /// Of an erratum: only who got an earlier version of the issue that it is about, in an edition that the
    /// erratum has items for.
    static func needs(_ erratum: Issue.ID, _ audience: Edition.Audience) -> SQL {
        let got: SQL = """
            select from issue
                join delivery earlier on earlier.issue = issue.erratum_of and earlier.audience = \(audience)
                join outgoing_mail mail on mail.id = earlier.id
            where issue.id = \(erratum) and mail.state in ('sent', 'uncertain')
                and coalesce(mail.content_version, 1) < issue.erratum_version
                and exists (select from issue_item where issue_item.issue = issue.id and \(audience) = any(audiences))
            """
        return """
            ((select erratum_of from issue where id = \(erratum)) is null
                or exists (\(got) and lower(earlier.email) = lower(reader.email))
                or exists (\(got) and earlier.reader = reader.subject))
            """
    }
}
