import ClubProtocol

/// The tables of `../shared/data`, and the expected result for each. How many of the rows of real directories are new
/// was counted by a second program too, which applies the matching policy row by row in memory.
/// counted by a second program too, which plays the policy of matching row by row in memory.
extension WildFile {
    static let all: [WildFile] = [
        .init(
            path: "annuaires/cog2024_communes.csv", records: 36209, digest: 0xc18f7ceef546dc30,
            outcome: .refused(noHeader)),
        .init(
            path: "annuaires/cog2024_departements.csv", records: 102, digest: 0x3d616de9909f554f,
            outcome: .refused(noHeader)),
        .init(
            path: "annuaires/cog2024_regions.csv", records: 19, digest: 0x9042ebff522c9f38, outcome: .refused(noHeader)),
        .init(
            path: "annuaires/ess_numerique_sirene.csv", records: 3668, digest: 0x255fa2e78292724b,
            outcome: .taken(created: 3667)),
        .init(
            path: "annuaires/france_services_2022-12-01.csv", records: 2684, digest: 0xd1d0d1e27ca4e2c8,
            outcome: .taken(
                created: 2672, updated: 2, rejected: ["mail: is not a valid e-mail address": 3]),
            names: ["Bus France services Thiérache Sambre et Oise", "France services Puget-Théniers"]),
        .init(
            path: "annuaires/hatvp_chambres_orgapro_conseils.csv", records: 676, digest: 0x730780bb791f5233,
            outcome: .taken(created: 675), names: ["KOZ"]),
        .init(
            path: "annuaires/laposte_hexasmal_extrait.latin1.csv", records: 2329, digest: 0x52647fc5586ac483,
            outcome: .refused(noHeader)),
        .init(
            path: "annuaires/mediation_numerique_data_inclusion.csv", records: 3812, digest: 0x80c1889d5c0d5f7c,
            outcome: .taken(
                created: 3261, updated: 455,
                rejected: [
                    "The SIRET does not begin with a valid SIREN.": 1,
                    "telephone: is not a telephone number that can be dialled": 1,
                    "pivot: is not a valid SIRET: the check digit is wrong": 15,
                ]), names: ["Bibliothèque municipale de Marignier", "Centre Social de Solaure-La Jomayère"]),
        .init(
            path: "annuaires/region_sud_lieux_mojibake.csv", records: 1246, digest: 0x91befe9d7f882ed6,
            outcome: .taken(
                created: 1086, updated: 151,
                rejected: [
                    "contact_web: is not a valid web address (https://…)": 2,
                    "siret: is not a valid SIRET (14 digits)": 1,
                ]),
            names: ["Biblioth\u{FFFD}que"]),
        .init(
            path: "annuaires/tiers_lieux_numeriques.csv", records: 48, digest: 0x86f956d7e4b88f5e,
            outcome: .taken(created: 46, rejected: ["The row has neither name nor SIRET nor e-mail.": 1]),
            names: [
                "Anonymal - La Maison Numérique"
            ]),
        .init(
            path: "csv_pieges/csv-spectrum/csvs/comma_in_quotes.csv", records: 2, digest: 0xcf11c55c197ae978,
            outcome: .refused(noHeader)),
        .init(
            path: "csv_pieges/csv-spectrum/csvs/empty.csv", records: 3, digest: 0xde3d3f901b535788,
            outcome: .refused(noHeader)),
        .init(
            path: "csv_pieges/csv-spectrum/csvs/empty_crlf.csv", records: 3, digest: 0xde3d3f901b535788,
            outcome: .refused(noHeader)),
        .init(
            path: "csv_pieges/csv-spectrum/csvs/escaped_quotes.csv", records: 3, digest: 0x860c6a7582883a69,
            outcome: .refused(noHeader)),
        .init(
            path: "csv_pieges/csv-spectrum/csvs/json.csv", records: 2, digest: 0x6ce313d1074f1179,
            outcome: .refused(noHeader)),
        .init(
            path: "csv_pieges/csv-spectrum/csvs/location_coordinates.csv", records: 2, digest: 0xfc0478176fc4a1bf,
            outcome: .refused(noHeader)),
        .init(
            path: "csv_pieges/csv-spectrum/csvs/newlines.csv", records: 4, digest: 0x86872798c28bbc07,
            outcome: .refused(noHeader)),
        .init(
            path: "csv_pieges/csv-spectrum/csvs/newlines_crlf.csv", records: 4, digest: 0x86872798c28bbc07,
            outcome: .refused(noHeader)),
        .init(
            path: "csv_pieges/csv-spectrum/csvs/quotes_and_newlines.csv", records: 3, digest: 0xf20207a50e96a383,
            outcome: .refused(noHeader)),
        .init(
            path: "csv_pieges/csv-spectrum/csvs/simple.csv", records: 2, digest: 0xb9874cb9a6e34a0f,
            outcome: .refused(noHeader)),
        .init(
            path: "csv_pieges/csv-spectrum/csvs/simple_crlf.csv", records: 2, digest: 0xb9874cb9a6e34a0f,
            outcome: .refused(noHeader)),
        .init(
            path: "csv_pieges/csv-spectrum/csvs/utf8.csv", records: 3, digest: 0x03208d6971233d29,
            outcome: .refused(noHeader)),
        .init(path: "csv_pieges/csvkit/bad.csv", records: 4, digest: 0x5ed29fde85d9511a, outcome: .refused(noHeader)),
        .init(
            path: "csv_pieges/csvkit/bad_skip_lines.csv", records: 4, digest: 0x5ed29fde85d9511a,
            outcome: .refused(noHeader)),
        .init(
            path: "csv_pieges/csvkit/blanks.csv", records: 2, digest: 0x1a74ed03f719e79c, outcome: .refused(noHeader)),
        .init(
            path: "csv_pieges/csvkit/date_like_number.csv", records: 2, digest: 0xffe0923758745f2f,
            outcome: .refused(noHeader)),
        .init(path: "csv_pieges/csvkit/dummy.tsv", records: 2, digest: 0xb9874cb9a6e34a0f, outcome: .refused(noHeader)),
        .init(
            path: "csv_pieges/csvkit/dummy_col_shuffled_ragged.csv", records: 2, digest: 0xdbac4e095fda2b65,
            outcome: .refused(noHeader)),
        .init(path: "csv_pieges/csvkit/empty.csv", records: 0, digest: 0xcbf29ce484222325, outcome: .refused(empty)),
        .init(
            path: "csv_pieges/csvkit/mac_newlines.csv", records: 3, digest: 0x14f28d606c8e64a9,
            outcome: .refused(noHeader)),
        .init(
            path: "csv_pieges/csvkit/no_header_row.csv", records: 1, digest: 0x1774f83030497336,
            outcome: .refused(noHeader)),
        .init(
            path: "csv_pieges/csvkit/null_byte.csv", records: 2, digest: 0xf366c5e334974714, outcome: .refused(noHeader)
        ),
        .init(
            path: "csv_pieges/csvkit/optional_quote_characters.csv", records: 2, digest: 0xb9874cb9a6e34a0f,
            outcome: .refused(noHeader)),
        .init(
            path: "csv_pieges/csvkit/sniff_limit.csv", records: 2, digest: 0xb9874cb9a6e34a0f,
            outcome: .refused(noHeader)),
        .init(
            path: "csv_pieges/csvkit/test_empty_columns.csv", records: 3, digest: 0x9289a600f80163bf,
            outcome: .refused(noHeader)),
        .init(
            path: "csv_pieges/csvkit/test_empty_columns_long_row.csv", records: 1, digest: 0xea7bcb24cd0cada6,
            outcome: .refused(noHeader)),
        .init(
            path: "csv_pieges/csvkit/test_empty_columns_short_row.csv", records: 1, digest: 0xea7bcb24cd0cada6,
            outcome: .refused(noHeader)),
        .init(
            path: "csv_pieges/csvkit/test_extra_header.csv", records: 2, digest: 0x9bad54d208c3053a,
            outcome: .refused(noHeader)),
        .init(
            path: "csv_pieges/csvkit/test_header_newline.csv", records: 2, digest: 0x47c9c7cfe23552b1,
            outcome: .refused(noHeader)),
        .init(
            path: "csv_pieges/csvkit/test_latin1.csv", records: 3, digest: 0xbc55e02cd208d73a,
            outcome: .refused(noHeader)),
        .init(
            path: "csv_pieges/csvkit/test_locale.csv", records: 2, digest: 0xc85c421c225c6fe3,
            outcome: .refused(noHeader)),
        .init(
            path: "csv_pieges/csvkit/test_no_leading_zeroes.csv", records: 2, digest: 0x919e99d7b1acb1e1,
            outcome: .refused(noHeader)),
        .init(
            path: "csv_pieges/csvkit/test_skip_lines.csv", records: 2, digest: 0xb9874cb9a6e34a0f,
            outcome: .refused(noHeader)),
        .init(
            path: "csv_pieges/csvkit/test_utf16_big.csv", records: 3, digest: 0x03208d6971233d29,
            outcome: .refused(noHeader)),
        .init(
            path: "csv_pieges/csvkit/test_utf16_little.csv", records: 3, digest: 0x03208d6971233d29,
            outcome: .refused(noHeader)),
        .init(
            path: "csv_pieges/csvkit/test_utf8.csv", records: 3, digest: 0xeb34cca256285685, outcome: .refused(noHeader)
        ),
        .init(
            path: "csv_pieges/csvkit/test_utf8_bom.csv", records: 3, digest: 0xeb34cca256285685,
            outcome: .refused(noHeader)),
        .init(
            path: "csv_pieges/fabrique/excel_fr_point_virgule_cp1252.csv", records: 121, digest: 0xeed6c8b53fe3b62b,
            outcome: .taken(
                created: 106,
                rejected: ["SIREN: is not a valid SIREN (9 digits)": 14]),
            names: ["UNION DES PIMMS", "UNION DES PIMMS IMMEUBLE LE GREEMENT 2 PL ANDRE LATARGET"]),
        .init(
            path: "csv_pieges/fabrique/excel_fr_point_virgule_utf8_bom.csv", records: 121, digest: 0xeed6c8b53fe3b62b,
            outcome: .taken(
                created: 106,
                rejected: ["SIREN: is not a valid SIREN (9 digits)": 14]),
            names: ["UNION DES PIMMS", "UNION DES PIMMS IMMEUBLE LE GREEMENT 2 PL ANDRE LATARGET"]),
        .init(
            path: "csv_pieges/fabrique/excel_unicode_tab_utf16le_bom.csv", records: 121, digest: 0xeed6c8b53fe3b62b,
            outcome: .taken(
                created: 106,
                rejected: ["SIREN: is not a valid SIREN (9 digits)": 14]),
            names: ["UNION DES PIMMS", "UNION DES PIMMS IMMEUBLE LE GREEMENT 2 PL ANDRE LATARGET"]),
        .init(
            path: "csv_pieges/fabrique/injection_formules.csv", records: 15, digest: 0x787e7db851f69244,
            outcome: .taken(created: 11), names: ["=cmd|'/C calc'!A0", "@SUM(1;1)"]),
        .init(
            path: "csv_pieges/frictionless/accent.csv", records: 3, digest: 0x022c9c3f80409364,
            outcome: .refused(noHeader)),
        .init(
            path: "csv_pieges/frictionless/ascii-notvalid.csv", records: 2, digest: 0x6c8fdb9e606ae2f6,
            outcome: .refused(noHeader)),
        .init(
            path: "csv_pieges/frictionless/blank-cells.csv", records: 6, digest: 0x5da1240f798ba913,
            outcome: .taken(created: 4, rejected: ["The row has neither name nor SIRET nor e-mail.": 1])),
        .init(
            path: "csv_pieges/frictionless/blank-headers.csv", records: 3, digest: 0xda7c817af2f80d3c,
            outcome: .refused(noHeader)),
        .init(
            path: "csv_pieges/frictionless/blank-rows-multiple.csv", records: 3, digest: 0xa65fb5b71afb9845,
            outcome: .taken(created: 2)),
        .init(
            path: "csv_pieges/frictionless/blank-rows-no-fields.csv", records: 3, digest: 0xa65fb5b71afb9845,
            outcome: .taken(created: 2)),
        .init(
            path: "csv_pieges/frictionless/blank-rows.csv", records: 3, digest: 0xa65fb5b71afb9845,
            outcome: .taken(created: 2)),
        .init(
            path: "csv_pieges/frictionless/bom.csv", records: 3, digest: 0x9c0ff1326a39bab2,
            outcome: .taken(created: 2), names: ["english", "中国人"]),
        .init(
            path: "csv_pieges/frictionless/defective-rows.csv", records: 3, digest: 0x1b0c72dc1ef45a8d,
            outcome: .taken(
                created: 0,
                rejected: ["The row has 2 cells, the header 3.": 1, "The row has 4 cells, the header 3.": 1])),
        .init(
            path: "csv_pieges/frictionless/delimiter.csv", records: 3, digest: 0x9c0ff1326a39bab2,
            outcome: .taken(created: 2), names: ["english", "中国人"]),
        .init(
            path: "csv_pieges/frictionless/dialect.csv", records: 3, digest: 0xca6aa82e2c43333a,
            outcome: .taken(created: 1, rejected: ["The row has 3 cells, the header 2.": 1])),
        .init(
            path: "csv_pieges/frictionless/doublequote.csv", records: 6, digest: 0xc538073aad522c36,
            outcome: .refused(noHeader)),
        .init(
            path: "csv_pieges/frictionless/duplicate-column.csv", records: 2, digest: 0x84219819566e99c2,
            outcome: .refused(noHeader)),
        .init(
            path: "csv_pieges/frictionless/duplicate-headers.csv", records: 3, digest: 0x169a2feb1a40e1e4,
            outcome: .taken(created: 2)),
        .init(
            path: "csv_pieges/frictionless/duplicate-rows.csv", records: 4, digest: 0xc1f81526f6aa9b17,
            outcome: .taken(created: 2)),
        .init(
            path: "csv_pieges/frictionless/encoding-issue-274.csv", records: 508, digest: 0xa3d23b7b261ec743,
            outcome: .taken(created: 507), names: ["Asia New Zealand Foundation"]),
        .init(
            path: "csv_pieges/frictionless/escaping.csv", records: 4, digest: 0xef5f4245c392ebf0,
            outcome: .refused(noHeader)),
        .init(
            path: "csv_pieges/frictionless/floats.csv", records: 6, digest: 0xc947722dde9d6c50,
            outcome: .refused(noHeader)),
        .init(
            path: "csv_pieges/frictionless/invalid.csv", records: 4, digest: 0xf116a563bf851a53,
            outcome: .refused("Two columns have the same meaning; the second is “name”.")),
        .init(
            path: "csv_pieges/frictionless/issue-1009-comma.csv", records: 2, digest: 0x87b4f550cb62a60d,
            outcome: .refused(noHeader)),
        .init(
            path: "csv_pieges/frictionless/issue-1009-semicolon.csv", records: 2, digest: 0x87b4f550cb62a60d,
            outcome: .refused(noHeader)),
        .init(
            path: "csv_pieges/frictionless/issue-1066-smallcellsize.csv", records: 13, digest: 0x609c63e7403a3f19,
            outcome: .refused(noHeader)),
        .init(
            path: "csv_pieges/frictionless/issue-1109.csv", records: 4, digest: 0xc95abd20329aa0b1,
            outcome: .refused(noHeader)),
        .init(
            path: "csv_pieges/frictionless/issue-1138.csv", records: 8, digest: 0x6923c1542777d3b9,
            outcome: .refused(noHeader)),
        .init(
            path: "csv_pieges/frictionless/latin1.csv", records: 3, digest: 0x58a0c5d27f0bcf87,
            outcome: .taken(created: 2), names: ["english", "©"]),
        .init(
            path: "csv_pieges/frictionless/leading-zeros.csv", records: 4, digest: 0x439d0c764ab75f28,
            outcome: .refused(noHeader)),
        .init(
            path: "csv_pieges/frictionless/schema-errors.csv", records: 5, digest: 0x1f565d1e2124ce3d,
            outcome: .taken(
                created: 2,
                rejected: [
                    "The row has 6 cells, the header 3.": 1, "The row has neither name nor SIRET nor e-mail.": 1,
                ])),
        .init(
            path: "csv_pieges/frictionless/skip-rows-before-headers.csv", records: 3, digest: 0x9c0ff1326a39bab2,
            outcome: .taken(created: 2), names: ["english", "中国人"]),
        .init(
            path: "csv_pieges/frictionless/skip-rows.csv", records: 4, digest: 0xa4f1140d62a00c46,
            outcome: .taken(created: 2, rejected: ["The row has 1 cells, the header 2.": 1]), names: ["english", "中国人"]),
        .init(
            path: "csv_pieges/frictionless/structure-errors.csv", records: 4, digest: 0xcf28f6210e32c1cc,
            outcome: .taken(created: 2, rejected: ["The row has 6 cells, the header 3.": 1])),
        .init(
            path: "csv_pieges/frictionless/table-infer-iso-8859-7.csv", records: 5, digest: 0xbb9bdfc491321f61,
            outcome: .taken(created: 4)),
        .init(
            path: "csv_pieges/frictionless/table-unicode-headers.csv", records: 3, digest: 0xd961b84d743f8d7c,
            outcome: .refused(noHeader)),
        .init(
            path: "csv_pieges/frictionless/without-headers-extra.csv", records: 3, digest: 0xd387d85dacb05b00,
            outcome: .refused(noHeader)),
        .init(
            path: "csv_pieges/frictionless/without-headers.csv", records: 3, digest: 0xfacadbeb9be141b5,
            outcome: .refused(noHeader)),
        .init(
            path: "csv_pieges/frictionless/without-rows.csv", records: 1, digest: 0xb97f4bab97142207,
            outcome: .taken(created: 0)),
        .init(
            path: "hatvp/vues_separees/10_actions_menees.csv", records: 6150, digest: 0xf70f47144bed0d21,
            outcome: .refused(noHeader)),
        .init(
            path: "hatvp/vues_separees/11_beneficiaires.csv", records: 13404, digest: 0xbc9155369e2a9f6c,
            outcome: .refused(noHeader)),
        .init(
            path: "hatvp/vues_separees/12_decisions_concernees.csv", records: 3399, digest: 0xde82ab531486abb9,
            outcome: .refused(noHeader)),
        .init(
            path: "hatvp/vues_separees/13_ministeres_aai_api.csv", records: 5944, digest: 0x42f83cab730cea27,
            outcome: .refused(noHeader)),
        .init(
            path: "hatvp/vues_separees/14_observations.csv", records: 2504, digest: 0x4a6f4d0526d37b4c,
            outcome: .refused(noHeader)),
        .init(
            path: "hatvp/vues_separees/15_exercices.csv", records: 927, digest: 0x0b6037ab14c8baba,
            outcome: .refused(noHeader)),
        .init(
            path: "hatvp/vues_separees/1_informations_generales.csv", records: 322, digest: 0x80bbce9be77c91f6,
            outcome: .taken(created: 321)),
        .init(
            path: "hatvp/vues_separees/2_dirigeants.csv", intake: .people, records: 601, digest: 0x03c763d2fbb1b331,
            outcome: .taken(created: 585, updated: 12), names: ["AÏACH Maxime"]),
        .init(
            path: "hatvp/vues_separees/3_collaborateurs.csv", intake: .people, records: 1038,
            digest: 0xad66319178a837ed, outcome: .taken(created: 1002, updated: 16), names: ["PERALDI Olivier"]),
        .init(
            path: "hatvp/vues_separees/4_clients.csv", records: 1949, digest: 0x374dc31562fdfc5d,
            outcome: .refused(noHeader)),
        .init(
            path: "hatvp/vues_separees/5_affiliations.csv", records: 632, digest: 0xa1675b80ce973613,
            outcome: .refused(noHeader)),
        .init(
            path: "hatvp/vues_separees/6_niveaux_intervention.csv", records: 724, digest: 0x5dc9752cf8eddf38,
            outcome: .refused(noHeader)),
        .init(
            path: "hatvp/vues_separees/7_domaines_intervention.csv", records: 5453, digest: 0x3af9a8c955cae523,
            outcome: .refused(noHeader)),
        .init(
            path: "hatvp/vues_separees/8_objets_activites.csv", records: 2498, digest: 0x6238e8fbac0a3cd7,
            outcome: .refused(noHeader)),
        .init(
            path: "hatvp/vues_separees/9_secteurs_activites.csv", records: 1275, digest: 0x3e41a96b6ffd5205,
            outcome: .refused(noHeader)),
        .init(
            path: "parlement/an17_deputes.csv", intake: .people, records: 576, digest: 0x11934de9dcf6a7b3,
            outcome: .taken(created: 575), names: ["Voynet Dominique", "Woerth Éric"]),
        .init(
            path: "parlement/senat/ODSEN_GENERAL-short.cp1252.csv", intake: .people, records: 3,
            digest: 0x836bfa51d54fec98, outcome: .taken(created: 2), names: ["Vanlerenberghe Jean-Marie"]),
        .init(
            path: "parlement/senat/ODSEN_GENERAL.cp1252.csv", intake: .people, records: 1740,
            digest: 0x2cff65146297151c,
            outcome: .taken(created: 1737, rejected: ["A person with another given name has this address.": 1]),
            names: ["Abadie François", "Aubey François"]),
        .init(
            path: "parlement/senat/ODSEN_GENERAL.utf8.csv", intake: .people, records: 1740, digest: 0x2cff65146297151c,
            outcome: .taken(created: 1737, rejected: ["A person with another given name has this address.": 1]),
            names: ["Abadie François", "Aubey François"]),
    ]
}
