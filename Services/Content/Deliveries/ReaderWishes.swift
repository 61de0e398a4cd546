import ClubProtocol
import Postgres

extension ReaderPreference.Rhythm: PostgresEncodable, PostgresDecodable {}

/// What the readers' preferences make of an issue when its deliveries are frozen.
enum ReaderWishes {
    /// The tables of a `with` whose last, `wish`, has a row for each address with a preference: `email` in lower case, the
    /// `kinds` that its delivery shows (null: all), and why it is `skipped` (null: it is not).
    ///
    /// A delivery that is skipped because there is nothing of the kinds wanted has all: if it is sent after all, a person
    /// wants it so.
    ///
    /// - Parameters:
    ///   - readers: the table with their addresses, as `email`.
    ///   - audience: whose items are looked at.
    static func tables(of readers: SQL, _ issue: Issue.ID, _ audience: Edition.Audience) -> SQL {
        """
        preference as materialized (
            select distinct on (wanted.email) wanted.* from \(readers) as listed
                join reader_preference wanted on wanted.email = lower(listed.email)
        ), offered as (
            select coalesce(array_agg(distinct kind), '{}') as kinds from issue_item
            where issue = \(issue) and \(audience) = any(audiences)
        ), \(monthlyReadersServed(besides: issue)), wish as materialized (
            select preference.email,
                case when preference.kinds && offered.kinds and not offered.kinds <@ preference.kinds
                    then preference.kinds end as kinds,
                case
                    when paused_until > (now() at time zone 'Europe/Paris')::date
                        then format('the reader wants no issue before %s', paused_until)
                    when not preference.kinds && offered.kinds then 'no item is of a kind that the reader wants'
                    when served.email is not null then 'the reader wants one issue a month, and has got one'
                end as skipped
            from preference cross join offered left join served using (email)
        )
        """
    }

    /// The table `served`: who wants one issue a month, and has one of this month: its deliveries were frozen in this
    /// month, or the mail was accepted in it. One that came to nothing through no wish of the reader counts too.
    /// An erratum belongs to the issue that it is about.
    private static func monthlyReadersServed(besides issue: Issue.ID) -> SQL {
        """
        month as (
            select date_trunc('month', now() at time zone 'Europe/Paris') at time zone 'Europe/Paris' as start
        ), served as materialized (
            select distinct preference.email
            from preference
                join delivery other on lower(other.email) = preference.email and other.issue <> \(issue)
                    and other.issue is distinct from (select erratum_of from issue where id = \(issue))
                join outgoing_mail mail on mail.id = other.id
                join issue on issue.id = other.issue
                cross join month
            where preference.rhythm = 'monthly' and mail.state not in ('skipped', 'suppressed', 'cancelled')
                and (coalesce(issue.frozen_at, other.created_at) >= month.start
                    or mail.state = 'sent' and mail.updated_at >= month.start)
        )
        """
    }
}
