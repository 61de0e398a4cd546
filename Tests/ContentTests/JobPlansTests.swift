import Foundation
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Content

@Suite("background work of content", .timeLimit(.minutes(5)))
struct JobPlansTests {
    @Test("every job and every schedule finds its rows by an index")
    func plans() async throws {
        let plans = JobPlans(
            fill: """
                set session_replication_role = replica;
                set statement_timeout = '120s';
                create function pg_temp.key(kind text, number bigint) returns uuid language sql immutable
                    return md5(kind || number)::uuid;
                insert into resource (id, kind, title, organization)
                select pg_temp.key('resource', i), 'article', 'Article', pg_temp.key('organization', i)
                from generate_series(0, \(JobPlans.rows) - 1) as i;
                insert into issue (id, number, title, state, sent_at, frozen_at)
                select pg_temp.key('issue', i), i, 'Flash', case when i = 1 then 'sending' else 'sent' end,
                    case when i <> 1 then now() end, now()
                from generate_series(1, \(JobPlans.rows)) as i;
                insert into issue_item (id, issue, position, kind, title, text, audiences)
                select pg_temp.key('item', i), pg_temp.key('issue', i), 1, 'corporate', 'Titre', 'Texte', '{experts}'
                from generate_series(1, \(JobPlans.rows)) as i;
                insert into edition (issue, audience, resolved)
                select pg_temp.key('issue', i), 'experts', i <> 1 from generate_series(1, \(JobPlans.rows)) as i;
                insert into outgoing_mail (id, issue, audience, lane, priority, state, deadline, updated_at)
                select pg_temp.key('delivery', i), pg_temp.key('issue', 1 + i / 20), 'experts', 'other', 3, 'sent', now(),
                    now() - i * interval '1 hour'
                from generate_series(0, \(JobPlans.rows) * 2 - 1) as i;
                insert into delivery (id, issue, audience, email, created_at, reader_entity, reader)
                select pg_temp.key('delivery', i), pg_temp.key('issue', 1 + i / 20), 'experts', i || '@example.org',
                    now() - i * interval '1 hour', 'expert', pg_temp.key('expert', i)
                from generate_series(0, \(JobPlans.rows) * 2 - 1) as i;
                insert into outgoing_mail (id, issue, audience, lane, priority, state, deadline)
                select pg_temp.key('waiting', i), pg_temp.key('issue', 1), 'experts', 'other', 3, 'pending', now() + '1 day'
                from generate_series(1, 20) as i;
                insert into delivery (id, issue, audience, email)
                select pg_temp.key('waiting', i), pg_temp.key('issue', 1), 'experts', 'w' || i || '@example.org'
                from generate_series(1, 20) as i;
                insert into delivery_count (issue, audience, lane, state, part, count)
                select pg_temp.key('issue', i), 'experts', 'other', 'sent', 0, 1
                from generate_series(1, \(JobPlans.rows)) as i;
                insert into outgoing_mail (id, lane, priority, state, deadline, updated_at)
                select pg_temp.key('letter', i), 'other', 1, case when i % 1000 = 0 then 'pending' else 'sent' end,
                    now() + '1 day', now() - i * interval '2 hours'
                from generate_series(0, \(JobPlans.rows) - 1) as i;
                insert into letter (id, key, purpose, email, subject, paragraphs)
                select pg_temp.key('letter', i), i::text, 'notice', i || '@example.org', 'Avis', '{Bonjour}'
                from generate_series(0, \(JobPlans.rows) - 1) as i;
                insert into issue_test (letter, issue, audience)
                select pg_temp.key('letter', i), pg_temp.key('issue', 1 + i), 'experts'
                from generate_series(0, \(JobPlans.rows) - 1) as i;
                insert into issue_correction (issue, content_version, item, title, text, reason)
                select pg_temp.key('issue', i), 2, pg_temp.key('item', i), 'Titre', 'Texte', 'Une erreur'
                from generate_series(1, \(JobPlans.rows)) as i;
                insert into letter_attachment (letter, position, type, file_name, bytes)
                select pg_temp.key('letter', i), 1, 'application/pdf', 'Avis.pdf', '%PDF-'
                from generate_series(0, \(JobPlans.rows) - 1) as i;
                insert into mail_attempt (mail, attempt, state)
                select pg_temp.key('letter', i), 1, 'pending' from generate_series(0, \(JobPlans.rows) - 1) as i;
                insert into inbound_message (id, digest, state, source, kind, writer, bytes, received_at)
                select pg_temp.key('message', i), sha256(i::text::bytea), 'read', 'maildir', 'reply',
                    'm' || i || '@example.org', case when i < 720 then 'x'::bytea end, now() - i * interval '1 hour'
                from generate_series(0, \(JobPlans.rows) - 1) as i;
                insert into mail_report (mail, kind, is_hard, was_accepted, inbound_message, reported_at, applied_at)
                select pg_temp.key('delivery', i), 'bounce', true, true, pg_temp.key('message', i),
                    now() - i * interval '1 hour', now()
                from generate_series(0, \(JobPlans.rows) - 1) as i;
                insert into delivery_report_count (issue, audience, lane, kind, count)
                select pg_temp.key('issue', i), 'experts', 'other', 'hardBounce', 1
                from generate_series(1, \(JobPlans.rows)) as i;
                insert into suppression (id, email, reason)
                select pg_temp.key('suppression', i), 's' || i || '@example.org', 'manual'
                from generate_series(0, \(JobPlans.rows) - 1) as i;
                insert into reader_preference (id, email, rhythm, updated_at)
                select pg_temp.key('preference', i), 'p' || i || '@example.org', 'monthly', now() - i * interval '3 hours'
                from generate_series(0, \(JobPlans.rows) - 1) as i;
                insert into consent_return (id, email, purpose, left_at, returned_at)
                select pg_temp.key('return', i), 'r' || i || '@example.org', 'flashInfo', '2020-01-01',
                    now() - i * interval '3 hours'
                from generate_series(0, \(JobPlans.rows) - 1) as i;
                insert into erased_reader (id) select pg_temp.key('gone', i) from generate_series(1, \(JobPlans.rows)) as i;
                insert into erased_address (hash) select sha256(i::text::bytea) from generate_series(1, \(JobPlans.rows)) as i;
                insert into applied_merge (id, kind, survivor, merged)
                select pg_temp.key('merge', i), 'organization', pg_temp.key('organization', i), pg_temp.key('other', i)
                from generate_series(0, \(JobPlans.rows) - 1) as i;
                """,
            small: [
                "erased_address_key": "one row", "mail_sender": "one for each process",
                "mail_connection": "one for each connection", "mail_lane": "one for each mailbox provider",
            ], through: [:],
            payloads: [
                "erasure": "'{\"erasure\": \"6f1c2f0e-0000-4000-8000-000000000001\"}'::jsonb",
                "webhook.send": "jsonb_build_object('webhook', md5('webhook1')::uuid)",
                "issue.freeze": "jsonb_build_object('issue', md5('issue1')::uuid)",
                "preference-link.find": "'{\"email\": \"p1@example.org\"}'::jsonb",
                "issue.late": "jsonb_build_object('issue', md5('issue1')::uuid)",
                "issue.start": "jsonb_build_object('issue', md5('issue1')::uuid)",
            ])
        let mail = FileManager.default.temporaryDirectory.appendingPathComponent("mail-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: mail) }
        try await plans.check(ContentApplication.self) { $0.mailURL = "maildir:\(mail)" }
    }
}
