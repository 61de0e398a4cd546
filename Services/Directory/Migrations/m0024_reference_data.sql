-- The first rows: places as the State writes them, and what the club's staff may change later.

insert into directory.region (code, name) values
    ('01', 'Guadeloupe'), ('02', 'Martinique'), ('03', 'Guyane'),
    ('04', 'La Réunion'), ('06', 'Mayotte'), ('11', 'Île-de-France'),
    ('24', 'Centre-Val de Loire'), ('27', 'Bourgogne-Franche-Comté'), ('28', 'Normandie'),
    ('32', 'Hauts-de-France'), ('44', 'Grand Est'), ('52', 'Pays de la Loire'),
    ('53', 'Bretagne'), ('75', 'Nouvelle-Aquitaine'), ('76', 'Occitanie'),
    ('84', 'Auvergne-Rhône-Alpes'), ('93', 'Provence-Alpes-Côte d''Azur'), ('94', 'Corse');

-- Abroad is measured from Paris.
insert into directory.departement (code, name, region, latitude, longitude) values
    ('01', 'Ain', '84', 46.21, 5.23), ('02', 'Aisne', '32', 49.56, 3.62),
    ('03', 'Allier', '84', 46.57, 3.33), ('04', 'Alpes-de-Haute-Provence', '93', 44.09, 6.24),
    ('05', 'Hautes-Alpes', '93', 44.56, 6.08), ('06', 'Alpes-Maritimes', '93', 43.70, 7.27),
    ('07', 'Ardèche', '84', 44.74, 4.60), ('08', 'Ardennes', '44', 49.77, 4.72),
    ('09', 'Ariège', '76', 42.97, 1.61), ('10', 'Aube', '44', 48.30, 4.07),
    ('11', 'Aude', '76', 43.21, 2.35), ('12', 'Aveyron', '76', 44.35, 2.57),
    ('13', 'Bouches-du-Rhône', '93', 43.30, 5.37), ('14', 'Calvados', '28', 49.18, -0.37),
    ('15', 'Cantal', '84', 44.93, 2.44), ('16', 'Charente', '75', 45.65, 0.16),
    ('17', 'Charente-Maritime', '75', 46.16, -1.15), ('18', 'Cher', '24', 47.08, 2.40),
    ('19', 'Corrèze', '75', 45.27, 1.77), ('21', 'Côte-d''Or', '27', 47.32, 5.04),
    ('22', 'Côtes-d''Armor', '53', 48.51, -2.77), ('23', 'Creuse', '75', 46.17, 1.87),
    ('24', 'Dordogne', '75', 45.18, 0.72), ('25', 'Doubs', '27', 47.24, 6.02),
    ('26', 'Drôme', '84', 44.93, 4.89), ('27', 'Eure', '28', 49.02, 1.15),
    ('28', 'Eure-et-Loir', '24', 48.45, 1.48), ('29', 'Finistère', '53', 48.00, -4.10),
    ('2A', 'Corse-du-Sud', '94', 41.92, 8.74), ('2B', 'Haute-Corse', '94', 42.70, 9.45),
    ('30', 'Gard', '76', 43.84, 4.36), ('31', 'Haute-Garonne', '76', 43.60, 1.44),
    ('32', 'Gers', '76', 43.65, 0.59), ('33', 'Gironde', '75', 44.84, -0.58),
    ('34', 'Hérault', '76', 43.61, 3.88), ('35', 'Ille-et-Vilaine', '53', 48.11, -1.68),
    ('36', 'Indre', '24', 46.81, 1.69), ('37', 'Indre-et-Loire', '24', 47.39, 0.69),
    ('38', 'Isère', '84', 45.19, 5.72), ('39', 'Jura', '27', 46.67, 5.55),
    ('40', 'Landes', '75', 43.89, -0.50), ('41', 'Loir-et-Cher', '24', 47.59, 1.33),
    ('42', 'Loire', '84', 45.44, 4.39), ('43', 'Haute-Loire', '84', 45.04, 3.89),
    ('44', 'Loire-Atlantique', '52', 47.22, -1.55), ('45', 'Loiret', '24', 47.90, 1.91),
    ('46', 'Lot', '76', 44.45, 1.44), ('47', 'Lot-et-Garonne', '75', 44.20, 0.62),
    ('48', 'Lozère', '76', 44.52, 3.50), ('49', 'Maine-et-Loire', '52', 47.47, -0.55),
    ('50', 'Manche', '28', 49.12, -1.09), ('51', 'Marne', '44', 48.96, 4.36),
    ('52', 'Haute-Marne', '44', 48.11, 5.14), ('53', 'Mayenne', '52', 48.07, -0.77),
    ('54', 'Meurthe-et-Moselle', '44', 48.69, 6.18), ('55', 'Meuse', '44', 48.77, 5.16),
    ('56', 'Morbihan', '53', 47.66, -2.76), ('57', 'Moselle', '44', 49.12, 6.18),
    ('58', 'Nièvre', '27', 46.99, 3.16), ('59', 'Nord', '32', 50.63, 3.06),
    ('60', 'Oise', '32', 49.43, 2.08), ('61', 'Orne', '28', 48.43, 0.09),
    ('62', 'Pas-de-Calais', '32', 50.29, 2.78), ('63', 'Puy-de-Dôme', '84', 45.78, 3.09),
    ('64', 'Pyrénées-Atlantiques', '75', 43.30, -0.37), ('65', 'Hautes-Pyrénées', '76', 43.23, 0.07),
    ('66', 'Pyrénées-Orientales', '76', 42.70, 2.90), ('67', 'Bas-Rhin', '44', 48.58, 7.75),
    ('68', 'Haut-Rhin', '44', 48.08, 7.36), ('69', 'Rhône', '84', 45.76, 4.84),
    ('70', 'Haute-Saône', '27', 47.62, 6.16), ('71', 'Saône-et-Loire', '27', 46.31, 4.83),
    ('72', 'Sarthe', '52', 48.00, 0.20), ('73', 'Savoie', '84', 45.57, 5.92),
    ('74', 'Haute-Savoie', '84', 45.90, 6.13), ('75', 'Paris', '11', 48.86, 2.35),
    ('76', 'Seine-Maritime', '28', 49.44, 1.10), ('77', 'Seine-et-Marne', '11', 48.54, 2.66),
    ('78', 'Yvelines', '11', 48.80, 2.13), ('79', 'Deux-Sèvres', '75', 46.32, -0.46),
    ('80', 'Somme', '32', 49.89, 2.30), ('81', 'Tarn', '76', 43.93, 2.15),
    ('82', 'Tarn-et-Garonne', '76', 44.02, 1.36), ('83', 'Var', '93', 43.12, 5.93),
    ('84', 'Vaucluse', '93', 43.95, 4.81), ('85', 'Vendée', '52', 46.67, -1.43),
    ('86', 'Vienne', '75', 46.58, 0.34), ('87', 'Haute-Vienne', '75', 45.83, 1.26),
    ('88', 'Vosges', '44', 48.17, 6.45), ('89', 'Yonne', '27', 47.80, 3.57),
    ('90', 'Territoire de Belfort', '27', 47.64, 6.86), ('91', 'Essonne', '11', 48.62, 2.44),
    ('92', 'Hauts-de-Seine', '11', 48.89, 2.21), ('93', 'Seine-Saint-Denis', '11', 48.91, 2.44),
    ('94', 'Val-de-Marne', '11', 48.79, 2.46), ('95', 'Val-d''Oise', '11', 49.04, 2.08),
    ('971', 'Guadeloupe', '01', 16.00, -61.73), ('972', 'Martinique', '02', 14.60, -61.07),
    ('973', 'Guyane', '03', 4.94, -52.33), ('974', 'La Réunion', '04', -20.88, 55.45),
    ('976', 'Mayotte', '06', -12.78, 45.23),
    ('975', 'Saint-Pierre-et-Miquelon', null, 46.78, -56.18), ('977', 'Saint-Barthélemy', null, 17.90, -62.85),
    ('978', 'Saint-Martin', null, 18.07, -63.08), ('980', 'Monaco', null, 43.73, 7.42),
    ('986', 'Wallis-et-Futuna', null, -13.28, -176.18), ('987', 'Polynésie française', null, -17.54, -149.57),
    ('988', 'Nouvelle-Calédonie', null, -22.28, 166.46), ('990', 'Étranger', null, 48.86, 2.35);

-- Abroad is the farthest from everywhere.
insert into directory.departement_near (origin, departement, rank)
select origin.code, other.code,
    row_number() over (
        partition by origin.code
        order by other.code <> origin.code, other.code = '990', acos(least(1, greatest(-1,
            sind(origin.latitude) * sind(other.latitude)
            + cosd(origin.latitude) * cosd(other.latitude) * cosd(origin.longitude - other.longitude)))),
            other.code) - 1
from directory.departement as origin cross join directory.departement as other;

insert into directory.topic (code, label) values
    ('accounting', 'Comptabilité'),
    ('artificialIntelligence', 'Intelligence artificielle'),
    ('backup', 'Sauvegarde'),
    ('businessCreation', 'Création d''entreprise'),
    ('cloud', 'Informatique en nuage'),
    ('collaboration', 'Travail collaboratif'),
    ('customerRelations', 'Relation client'),
    ('cybersecurity', 'Cybersécurité'),
    ('dataProtection', 'Protection des données'),
    ('digitalMarketing', 'Marketing numérique'),
    ('electronicInvoicing', 'Facturation électronique'),
    ('financing', 'Financement'),
    ('hardware', 'Matériel informatique'),
    ('hosting', 'Hébergement'),
    ('maintenance', 'Maintenance'),
    ('management', 'Gestion'),
    ('managementSoftware', 'Logiciels de gestion'),
    ('mobility', 'Mobilité'),
    ('network', 'Réseaux'),
    ('officeSoftware', 'Bureautique'),
    ('onlineSales', 'Vente en ligne'),
    ('payment', 'Paiement'),
    ('pointOfSale', 'Caisse'),
    ('printing', 'Impression'),
    ('searchEngines', 'Référencement'),
    ('socialMedia', 'Réseaux sociaux'),
    ('telecom', 'Téléphonie'),
    ('training', 'Formation'),
    ('webSite', 'Sites web');

insert into directory.tier (code, label, fee, monthly_seats, workshop_seats, insertions) values
    ('standard', 'Standard', 120000, 1, 2, 2), ('premium', 'Premium', 300000, 2, 8, 6);

insert into directory.consent_wording (purpose, text, standard) values
    ('flashInfo', 'J''accepte de recevoir le Flash info du club par courriel, tous les quinze jours. Je peux me '
        || 'désinscrire à tout moment par le lien présent dans chaque envoi.', true),
    ('eventInvitations', 'J''accepte de recevoir par courriel les invitations aux rencontres du club. Je peux retirer '
        || 'cet accord à tout moment.', true),
    ('publicDirectory', 'J''accepte que mes coordonnées professionnelles figurent dans l''annuaire public du club. '
        || 'Je peux retirer cet accord à tout moment.', true),
    ('partnerOffers', 'J''accepte de recevoir des offres des marques partenaires du club. Mon adresse ne leur est pas '
        || 'communiquée. Je peux retirer cet accord à tout moment.', true);

-- How long personal data is kept, in months. Three years after the last contact, as the data protection authority
-- recommends for prospects; the other periods are the club's.
insert into directory.retention_rule (code, months) values
    ('inactivePeople', 36), ('leftExperts', 36), ('formerAddresses', 36), ('erasures', 60), ('bankLines', 24),
    ('referrals', 12), ('importRows', 3);
