import Postgres

/// The SQL of the tries of a mail.
enum MailTries {
    /// As the JSON of `MailTry`, the first one first. The mail itself tells of the one that was accepted.
    ///
    /// - Parameter mail: an expression for its identifier.
    static func all(of mail: SQL) -> SQL {
        """
        (select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
                'attempt', try.attempt,
                'at', to_char(try.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                'outcome', try.state, 'meaning', try.class, 'reply', try.reply)) order by try.id nulls last), '[]')
            from (
                select id, attempt, at, state, class, reply from mail_attempt where mail_attempt.mail = \(mail)
                union all
                select null, attempt, updated_at, state, class, reply from outgoing_mail accepted
                where accepted.id = \(mail) and accepted.state = 'sent'
            ) as try)
        """
    }
}
