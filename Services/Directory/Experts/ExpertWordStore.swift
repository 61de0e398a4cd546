import ClubProtocol
import Postgres
import ServiceKit

/// The words of experts' names and communes, and how typed words are interpreted.
enum ExpertWordStore {
    /// Enqueued by every transaction that writes experts.
    static let wake = JobKind<Empty>("expert.words", maximumAttempts: 100)

    /// Adds the words of at most ten thousand experts written since the last run.
    ///
    /// - Returns: whether there may be more.
    static func takeIn(in transaction: PostgresTransaction) async throws -> Bool {
        // One at a time: two would wait for each other's words.
        try await transaction.query("select from expert_word_progress for update")
        // Other requests queued so far are redundant: what their transactions wrote is visible from here on.
        try await transaction.execute("delete from job where kind = \(wake.name) and state = 'queued'")
        let rows = try await transaction.query(
            """
            with due as (
                delete from expert_word_due
                where ctid = any(array(select ctid from expert_word_due limit 10000)) returning expert
            ), taken as (
                insert into expert_word (word, lexeme, published)
                \(words(where: "id in (select expert from due)"))
                on conflict (word) do update set published = true where excluded.published and not expert_word.published
            )
            select count(*) as count from due
            """)
        return try rows.first?["count", as: Int.self] == 10_000
    }

    /// Each word of some experts once, with its lexeme, and whether the public may know it. PostgreSQL's parser splits
    /// words that begin as a number, such as "3e12ab" into "3e12" and "ab": the first part is used, as in
    /// ``read(_:published:in:)``.
    private static func words(where condition: SQL) -> SQL {
        """
        select word, lexeme, published
        from (
            select word, bool_or(\(SQL.published)) as published
            from expert cross join regexp_split_to_table(directory.saints(search_text), '[^[:alnum:]]+') as word
            where \(condition) and length(word) between 2 and 40
            group by word
        ) as found
        cross join lateral (
            select min(lexeme) as lexeme from unnest(to_tsvector('directory.expert_words', word)) as parts (lexeme)
        ) as parsed
        where lexeme is not null
        """
    }

    /// Adds the words of experts changed since the last run. Words that are no longer used are removed at night
    /// (``review(in:)``).
    static func refresh(in transaction: PostgresTransaction) async throws {
        guard
            let row = try await transaction.first(
                "select through::text from expert_word_progress for update")
        else { throw PostgresError(.decoding, message: "the progress of the words is gone") }
        let through: String = try row["through"]
        // Rows have the time at which their transaction began; one that commits later may bring older times. An overlap
        // of an hour is longer than any transaction.
        try await transaction.execute(
            """
            insert into expert_word (word, lexeme, published)
            \(words(where: "updated_at >= \(through)::timestamptz - interval '1 hour'"))
            on conflict (word) do update set published = true where excluded.published and not expert_word.published
            """)
        try await transaction.execute(
            """
            update expert_word_progress
            set through = greatest(through, coalesce((select max(updated_at) from expert), through))
            """)
    }

    /// Removes words that no expert has any more, and updates which of them the public may know: each night, since an
    /// unused word disables the correction of its spelling; and for an erasure, since words are parts of names.
    static func review(in transaction: PostgresTransaction) async throws {
        // Before reading, so that no one concurrently adds words of an expert that is being deleted.
        try await transaction.query("select from expert_word_progress for update")
        try await transaction.execute(
            """
            with held as materialized (
                select word, bool_or(\(SQL.published)) as published
                from expert cross join regexp_split_to_table(directory.saints(search_text), '[^[:alnum:]]+') as word
                group by word
            ), gone as (
                delete from expert_word where not exists (select from held where held.word = expert_word.word)
            )
            update expert_word set published = held.published from held
            where held.word = expert_word.word and held.published <> expert_word.published
            """)
    }

    /// The significant words of `text`, each with the words it may stand for: itself if an expert has it with any
    /// ending; otherwise the words that begin with it; otherwise up to three that differ by a few letters. If the text
    /// has only stop words, these count. "St" is "Saint"; at the end of a text it may also be a beginning: of "Studio".
    ///
    /// - Parameter published: whether to use only words of experts in the public directory.
    static func read(
        _ text: Line, published: Bool, in transaction: PostgresTransaction
    ) async throws -> [Reading] {
        let words: SQL = published ? "(select * from expert_word where published) as expert_word" : "expert_word"
        return try await transaction.query(
            """
            select asked.word as typed, known.is_known as "isKnown", coalesce(
                case when not known.is_known or asked.begun is not null then coalesce(beginning.words, spelt.words) end,
                '{}') as "takenFor",
                case when starts_with(asked.word, asked.lexeme)
                        and right(directory.folded(\(text.text)), length(asked.word)) = asked.word
                    then length(asked.word) - length(asked.lexeme) else 0 end as ending,
                asked.lexeme || coalesce(beginning.lexemes, spelt.lexemes, '{}') as lexemes
            from (
                select word, min(place) as place, min(lexeme) as lexeme, max(begun) as begun
                from (
                    select word, place, lexeme, case when raw <> word and place = max(place) over () then raw end as begun,
                        to_tsvector('directory.french_folded', word) <> '' as says,
                        bool_or(to_tsvector('directory.french_folded', word) <> '') over () as others_say
                    from regexp_split_to_table(directory.folded(\(text.text)), '[^[:alnum:]]+')
                        with ordinality as parts (raw, place)
                    cross join lateral (select directory.searched(raw) as word) as spelt_out
                    cross join lateral unnest(to_tsvector('directory.expert_words', word)) as parsed (lexeme)
                    where word <> ''
                ) as typed
                where says or not others_say
                group by word order by place limit 8
            ) as asked
            cross join lateral (
                select exists (select from \(words) where expert_word.lexeme = asked.lexeme) as is_known
            ) as known
            left join lateral (
                select array_agg(word order by length(word), word) as words, array_agg(lexeme) as lexemes from (
                    select word, lexeme from \(words)
                    where (not known.is_known or asked.begun is not null)
                        and word >= coalesce(asked.begun, asked.word)
                        and word < coalesce(asked.begun, asked.word) || chr(1114111)
                    order by word limit 20) as found
            ) as beginning on true
            left join lateral (
                select array_agg(word order by distance, nearness desc, word) as words, array_agg(lexeme) as lexemes
                from (
                    select word, lexeme, distance, directory.similarity(word, asked.word) as nearness
                    from \(words) cross join lateral (
                        -- It takes 255 characters: of a word that is longer than any of ours, as many as tell them apart.
                        select directory.levenshtein_less_equal(word, left(asked.word, 48), 3) as distance) as measured
                    where not known.is_known and beginning.words is null and word operator(directory.%) asked.word
                        and distance <= case when length(asked.word) < 5 then 1 when length(asked.word) < 9 then 2 else 3 end
                    order by distance, nearness desc, word limit 3) as found
            ) as spelt on true
            order by asked.place
            """
        ).decode(Reading.self)
    }

    struct Reading: Decodable {
        var typed: String
        var isKnown: Bool
        var takenFor: [String]
        /// The length of its French ending, if the text ends with this word.
        var ending: Int
        /// The word, and those it may stand for, without their endings.
        var lexemes: [String]
    }
}
