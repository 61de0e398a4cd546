import ClubProtocol
import Testing

@testable import Directory

/// What members, experts and ambassadors read, character by character: no-break spaces are part of it.
@Suite("letters in French")
struct LetterTextTests {
    private let recipient = Recipient(email: "zoe@a.example", name: "Zoé")

    private func text(_ letter: LetterTemplate, _ content: [String: Any]) throws -> LetterTexts.Text {
        try LetterTexts().text(letter, content)
    }

    @Test("values are inserted unchanged, whatever they contain")
    func unchanged() throws {
        let text = try text(.selfServiceLink, ["record": "[Zoé] & Fils {{record}}"])
        #expect(text.paragraphs[0] == "Vous avez demandé un lien vers la fiche «\u{A0}[Zoé] & Fils {{record}}\u{A0}».")
    }

    @Test("the letter about a record that is to be confirmed, and its reminders", arguments: [0, 2])
    func confirmation(step: Int) throws {
        let open = ConfirmationStore.Open(
            recipient: recipient, record: "Pixel & Fils", step: step,
            confirmedAt: try Timestamp(validating: "2026-12-31T23:30:00Z"))
        let text = try text(.confirmation, open.letter(days: 60))
        #expect(
            text.subject
                == (step == 0
                    ? "Votre fiche est-elle à jour\u{202F}?" : "Rappel\u{A0}: votre fiche est-elle à jour\u{202F}?"))
        #expect(
            text.paragraphs == [
                step == 0
                    ? "Une fois par an, le Club vérifie avec vous que sa fiche sur vous est à jour."
                    : "Nous vous avons écrit au sujet de votre fiche, et n’avons pas encore de réponse.",
                "La fiche «\u{A0}Pixel & Fils\u{A0}» a été confirmée pour la dernière fois le 1er janvier 2027. Sans réponse de votre part, elle ne sera plus montrée à partir de dix-huit mois.",
                "Le lien ouvre votre fiche pendant 60 jours\u{A0}: vous pouvez la confirmer, la corriger ou quitter le réseau. Ne le transmettez à personne.",
            ])
        #expect(text.label == "Relire ma fiche")
    }

    @Test("the letters about a contribution", arguments: ContributionReminder.Step.allCases)
    func contribution(step: ContributionReminder.Step) throws {
        let open = ReminderStore.Open(
            step: step, recipient: recipient, contribution: Contribution.ID(), organization: "CMA & Cie", year: 2027,
            number: 12, dueOn: "2027-03-01", rest: 120_000)
        let details: Prose = "Par virement\u{A0}:\n\nFR76 1234"
        let amount = "1\u{202F}200,00\u{A0}€"
        let (subject, opening): (Line, String) =
            switch step {
            case .called:
                (
                    "Votre cotisation au Club",
                    "Voici l’appel de la cotisation 2027 n° 12 de CMA & Cie\u{A0}: \(amount), à régler au plus tard le 1er mars 2027."
                )
            case .upcoming:
                (
                    "Votre cotisation\u{A0}: dernier jour le 1er mars 2027",
                    "Sauf erreur de notre part, il reste à régler \(amount) pour la cotisation 2027 n° 12 de CMA & Cie, au plus tard le 1er mars 2027."
                )
            case .late:
                (
                    "Rappel\u{A0}: votre cotisation au Club",
                    "La cotisation 2027 n° 12 de CMA & Cie était à régler au plus tard le 1er mars 2027. Il reste \(amount)."
                )
            case .final:
                (
                    "Dernier rappel\u{A0}: votre cotisation au Club",
                    "Malgré nos messages, il reste à régler \(amount) pour la cotisation 2027 n° 12 de CMA & Cie, échue le 1er mars 2027."
                )
            }
        let ending: Prose =
            "Merci d’indiquer 2027-12 comme référence de votre virement. Si vous avez payé entre-temps, ne tenez pas compte de ce message. Un reçu vous sera envoyé dès que tout est réglé."
        let label: Line = "Voir l’appel de cotisation"
        #expect(
            try text(.contribution, open.letter(paymentDetails: details))
                == .init(subject: subject, paragraphs: [Prose(stringLiteral: opening), details, ending], label: label))
        #expect(
            try text(.contribution, open.letter(paymentDetails: nil))
                == .init(subject: subject, paragraphs: [Prose(stringLiteral: opening), ending], label: label))
    }

    @Test("the letter with a receipt, and with one that replaces another", arguments: [nil, "2026-11"])
    func receipt(replaces: String?) throws {
        let receipt = ReceiptStore.Shown(
            id: Receipt.ID(), contribution: Contribution.ID(), year: 2027, number: 12, issuedOn: "2027-03-01",
            paidOn: "2027-03-01", amount: 5_000, addressee: .init(name: "CMA"), contributionYear: 2026,
            contributionNumber: 3,
            means: [], replaces: replaces)
        let number = replaces == nil ? "n°\u{A0}2027-12" : "n°\u{A0}2027-12, qui remplace le n°\u{A0}2026-11,"
        #expect(
            try text(.receipt, receipt.letter)
                == .init(
                    subject: "Reçu de votre cotisation",
                    paragraphs: [
                        "Nous avons bien reçu 50,00\u{A0}€ pour votre cotisation 2026. Merci.",
                        Prose(
                            stringLiteral:
                                "Le reçu \(number) est à votre disposition\u{202F}; vous pouvez l’imprimer."),
                    ],
                    label: "Voir le reçu"))
    }

    @Test(
        "the letter to an expert who is asked",
        arguments: [
            (true, "CMA (64)", 1, "Un ambassadeur du Club (CMA (64))", "Le besoin revient au premier qui accepte."),
            (true, nil, 2, "Un ambassadeur du Club", "Le besoin revient aux 2 premiers qui acceptent."),
            (false, nil, 3, "L’équipe du Club", "Le besoin revient aux 3 premiers qui acceptent."),
        ] as [(Bool, String?, Int, String, String)])
    func invitation(isAmbassadors: Bool, home: String?, places: Int, who: String, first: String) throws {
        let open = ReferralLetterStore.Invitation(
            recipient: recipient, topics: ["Site web", "Caisse"], postalCode: "64000", departement: "64",
            answerBy: "2027-03-01", places: places, isAmbassadors: isAmbassadors, home: home)
        #expect(
            try text(.referralInvitation, open.letter)
                == .init(
                    subject: "Une entreprise cherche un expert\u{A0}: Pyrénées-Atlantiques (64)",
                    paragraphs: [
                        Prose(
                            stringLiteral:
                                "\(who) vous propose le besoin d’une entreprise du 64000 (Pyrénées-Atlantiques). Sujet\u{A0}: Site web, Caisse."
                        ),
                        Prose(
                            stringLiteral:
                                "Vous pouvez accepter ou décliner jusqu’au 1er mars 2027 inclus. \(first) La page décrit le besoin, et vous montre, dès que vous acceptez, à qui vous adresser."
                        ),
                        "Ce lien est le vôtre\u{A0}: ne le transmettez à personne.",
                    ],
                    label: "Lire et répondre"))
    }

    private func news(_ state: Referral.State, asked: Int) throws -> ReferralLetterStore.News {
        ReferralLetterStore.News(
            recipient: recipient, referral: Referral.ID(), topics: ["Site web", "Caisse"], postalCode: "64000",
            createdAt: try Timestamp(validating: "2026-12-31T23:30:00Z"), state: state, asked: asked,
            answer: .accepted)
    }

    @Test(
        "the letter to an ambassador about an answer",
        arguments: [
            (.accepted, "Un expert a accepté votre demande", "Un expert a accepté"),
            (.declined, "Un expert a décliné votre demande", "Un expert a décliné"),
            (.abandoned, "Un expert a renoncé à votre demande", "Un expert a renoncé à"),
            (.expired, "Un expert n’a pas répondu à temps", "Un expert a laissé passer le délai pour"),
            (
                .withdrawn, "Un expert ne répondra pas à votre demande",
                "Un expert a quitté le réseau avant de répondre pour"
            ),
        ] as [(ReferralOffer.State, Line, String)],
        [
            (.placed, 0, "Tous les experts qu’il faut sont trouvés\u{A0}: personne d’autre n’est sollicité."),
            (.closed, 2, "Vous avez clos cette demande\u{A0}: personne d’autre n’est sollicité."),
            (.open, 1, "Un autre expert doit encore répondre."),
            (.open, 4, "4 autres experts doivent encore répondre."),
            (.open, 0, "Plus aucun expert ne doit répondre\u{A0}: vous pouvez en solliciter d’autres."),
        ] as [(Referral.State, Int, Prose)])
    func answer(
        _ answer: (state: ReferralOffer.State, subject: Line, what: String),
        _ next: (state: Referral.State, asked: Int, text: Prose)
    ) throws {
        #expect(
            try text(.referralAnswer, news(next.state, asked: next.asked).letter(on: answer.state))
                == .init(
                    subject: answer.subject,
                    paragraphs: [
                        Prose(
                            stringLiteral:
                                "\(answer.what) le besoin que vous avez transmis le 1er janvier 2027 pour une entreprise du 64000\u{A0}: Site web, Caisse."
                        ),
                        next.text,
                        "La page dit qui a répondu quoi, et comment joindre qui a accepté. Ne transmettez le lien à personne.",
                    ],
                    label: "Suivre ma demande"))
    }

    @Test("the letter that asks an ambassador for the outcome")
    func outcome() throws {
        let answeredAt = try Timestamp(validating: "2027-01-14T12:00:00Z")
        #expect(
            try text(.referralOutcome, news(.open, asked: 0).letter(answeredAt: answeredAt))
                == .init(
                    subject: "Qu’est devenue votre demande\u{202F}?",
                    paragraphs: [
                        "Un expert a accepté, le 14 janvier 2027, le besoin que vous avez transmis le 1er janvier 2027 pour une entreprise du 64000\u{A0}: Site web, Caisse.",
                        "Le travail est-il fait, et l’entreprise satisfaite\u{202F}? Ou l’affaire n’a-t-elle pas abouti\u{202F}? Dites-le sur la page de votre demande\u{A0}: les prochaines entreprises seront mieux conseillées.",
                        "Nous ne vous le demanderons pas une seconde fois. Ne transmettez le lien à personne.",
                    ],
                    label: "Dire ce qu’il en est"))
    }

    @Test("the letter with the link to the own record")
    func selfServiceLink() throws {
        #expect(
            try text(.selfServiceLink, ["record": "Pixel"])
                == .init(
                    subject: "Votre lien vers votre fiche",
                    paragraphs: [
                        "Vous avez demandé un lien vers la fiche «\u{A0}Pixel\u{A0}».",
                        "Il l’ouvre pendant vingt-quatre heures. Ne le transmettez à personne. Si vous n’avez rien demandé, ne faites rien\u{A0}: rien n’est changé.",
                    ],
                    label: "Ouvrir ma fiche"))
    }

    @Test("the letter about an address that is not written to any more, or is not in the record any more")
    func addressChange() throws {
        let ending: Prose =
            "Si ce changement ne vient pas de vous, répondez à ce message\u{A0}: l’équipe du Club rétablira votre adresse."
        #expect(
            try text(.addressChange, ["record": "Pixel", "isKept": true])
                == .init(
                    subject: "L’adresse de votre fiche a changé",
                    paragraphs: [
                        "L’adresse électronique de la fiche «\u{A0}Pixel\u{A0}» vient d’être changée\u{A0}: le Club n’écrit plus à celle à laquelle vous lisez ce message.",
                        ending,
                    ], label: nil))
        #expect(
            try text(.addressChange, ["record": "Pixel", "isKept": false]).paragraphs == [
                "L’adresse électronique de la fiche «\u{A0}Pixel\u{A0}» vient d’être changée\u{A0}: celle à laquelle vous lisez ce message n’y figure plus. Les liens envoyés à cette adresse n’ouvrent plus la fiche.",
                ending,
            ])
    }
}
