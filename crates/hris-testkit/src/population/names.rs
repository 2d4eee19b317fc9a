//! Word lists for invented people: names by country, awkward names, jobs, offices, phones and addresses.

use fastrand::Rng;

/// What people of one country are called and where their offices are.
#[derive(Debug)]
pub(super) struct Locale {
    /// ISO 3166-1 alpha-2.
    pub(super) country: &'static str,
    pub(super) cities: &'static [&'static str],
    women: &'static [&'static str],
    men: &'static [&'static str],
    pub(super) last_names: &'static [&'static str],
    pub(super) has_second_last_name: bool,
    /// Beginning of a range that is reserved for fiction or assigned to nobody, and the digits to fill in.
    phone: (&'static str, usize),
}

const LOCALES: [Locale; 5] = [
    Locale {
        country: "ES",
        cities: &["Valencia", "Sevilla", "Bilbao", "Málaga"],
        women: &["Lucía", "Carmen", "Inés", "Rocío", "Nuria", "Alba", "Marta", "Begoña"],
        men: &["Hugo", "Álvaro", "Iker", "Rubén", "Jordi", "Martín", "Gonzalo", "Íñigo"],
        last_names: &[
            "Rivas", "Campos", "Peña", "Soler", "Ibáñez", "Vidal", "Cuesta", "Marín", "Robles", "Núñez",
            "Bravo", "Lozano",
        ],
        has_second_last_name: true,
        phone: ("+34 555 010 ", 3),
    },
    Locale {
        country: "GB",
        cities: &["Leeds", "Bristol", "Cardiff", "Dundee"],
        women: &["Amelia", "Harriet", "Imogen", "Freya", "Tamsin", "Zoë", "Nia", "Rosalind"],
        men: &["Alfie", "Rhys", "Callum", "Edmund", "Jasper", "Tobias", "Gareth", "Owen"],
        last_names: &[
            "Ashdown",
            "Birkett",
            "Croft",
            "Dunmore",
            "Eastwell",
            "Fenwick",
            "Garside",
            "Hartnell",
            "Ingleby",
            "Kettering",
            "Lowther",
            "Marlow",
        ],
        has_second_last_name: false,
        phone: ("+44 20 7946 0", 3),
    },
    Locale {
        country: "US",
        cities: &["Denver", "Tampa", "Boise", "Austin"],
        women: &["Madison", "Aaliyah", "Brooke", "Kayla", "Renée", "Savannah", "Willow", "Jada"],
        men: &["Mason", "Darius", "Cody", "Wyatt", "Tyrell", "Logan", "Brandon", "Diego"],
        last_names: &[
            "Abernathy",
            "Bledsoe",
            "Calloway",
            "Delacroix",
            "Eubanks",
            "Farnham",
            "Guthrie",
            "Hollis",
            "Kincaid",
            "Ledbetter",
            "Mayfield",
            "Norwood",
        ],
        has_second_last_name: false,
        phone: ("+1 202 555 01", 2),
    },
    Locale {
        country: "DE",
        cities: &["Kassel", "Bremen", "Lübeck", "Jena"],
        women: &["Annika", "Frieda", "Käthe", "Svenja", "Wiebke", "Ronja", "Merle", "Birgit"],
        men: &["Jürgen", "Torben", "Lennart", "Anselm", "Malte", "Björn", "Falk", "Henning"],
        last_names: &[
            "Ahlers",
            "Böhme",
            "Claasen",
            "Dörfler",
            "Eggers",
            "Fährmann",
            "Grünwald",
            "Harms",
            "Jeschke",
            "Kröger",
            "Lohse",
            "Weiß",
        ],
        has_second_last_name: false,
        phone: ("+49 30 23125 ", 3),
    },
    Locale {
        country: "FR",
        cities: &["Nantes", "Dijon", "Amiens", "Nîmes"],
        women: &["Anaïs", "Chloé", "Élodie", "Margaux", "Océane", "Maëlle", "Sylvie", "Capucine"],
        men: &["Aurélien", "Benoît", "Gaëtan", "Loïc", "Mathis", "Théo", "Yann", "François"],
        last_names: &[
            "Aubry",
            "Besson",
            "Carlier",
            "Duchêne",
            "Fabre",
            "Guérin",
            "Lacombe",
            "Marchais",
            "Noël",
            "Perrault",
            "Rousselle",
            "Vasseur",
        ],
        has_second_last_name: false,
        phone: ("+33 1 99 00 00 ", 2),
    },
];

/// First and last names in other scripts than Latin.
pub(super) const NON_LATIN: [(&str, &str); 8] = [
    ("美咲", "高橋"),
    ("Олена", "Шевчук"),
    ("ليلى", "حداد"),
    ("Γεωργία", "Παπαδάκη"),
    ("지우", "한"),
    ("נועה", "כרמי"),
    ("प्रिया", "शर्मा"),
    ("ณัฐ", "ศรีสุข"),
];

/// Names in which the accents are separate characters.
pub(super) const COMBINING: [(&str, &str); 4] = [
    ("Zoe\u{308}", "Nu\u{301}n\u{303}ez"),
    ("Rene\u{301}e", "Dvor\u{30c}a\u{301}k"),
    ("A\u{30a}sa", "Bjo\u{308}rk"),
    ("Minh", "Nguye\u{302}\u{303}n"),
];

/// Names with a straight or curly apostrophe, a hyphen or a dot.
pub(super) const PUNCTUATED: [(&str, &str); 6] = [
    ("Sinéad", "O'Shaughnessy"),
    ("Jean-Luc", "Tessier"),
    ("Paola", "D’Amico"),
    ("Rhiannon", "Price-Hollins"),
    ("Oliver", "St. Clere"),
    ("Anne-Marie", "L'Écuyer-Roy"),
];

/// First names that a spreadsheet would take for a formula.
pub(super) const FORMULAS: [&str; 3] =
    ["=1+1", "=SUM(A1:A9)", "=HYPERLINK(\"https://form.example\",\"open\")"];

/// Last names of more than 50 letters: one word, several words, and letters of two bytes.
pub(super) const LONG: [&str; 3] = [
    "Rauhenwasserbergersteinhausenmühlfelderbrückenwaldschmidt",
    "Montalbán Fuenteseca Villarrobledo Castelblanco Peñaflorida",
    "Åkerströmshögbergsängslöfgrenöstermälarhöjdensjöbladhånström",
];

/// Status words that stand in no vendor's documents.
pub(super) const STATUS_WORDS: [&str; 4] = ["garden_leave", "Seconded", "ARCHIVED?", "en excedencia"];

const SHIRT_SIZES: [&str; 4] = ["S", "M", "L", "XL"];
const PERSONAL_DOMAINS: [&str; 3] = ["post.example", "inbox.example", "briefkasten.example"];
const WORK_DOMAINS: [&str; 4] =
    ["harbourmill.example", "cobalt-bakery.example", "tidewater.example", "quillworks.example"];

/// Departments, each with its job titles.
const JOBS: [(&str, &[&str]); 6] = [
    ("Operations", &["Planner", "Shift Lead", "Warehouse Operative"]),
    ("Sales", &["Account Manager", "Sales Assistant", "Regional Lead"]),
    ("Engineering", &["Developer", "Test Engineer", "Site Technician"]),
    ("Finance", &["Accountant", "Payroll Clerk", "Controller"]),
    ("People", &["Recruiter", "Trainer", "People Partner"]),
    ("Customer Care", &["Adviser", "Team Coach", "Complaints Handler"]),
];

/// Letters that a local part may take from one name.
const LONGEST_SLUG: usize = 20;

impl Locale {
    pub(super) fn any(rng: &mut Rng) -> &'static Self {
        &LOCALES[rng.usize(..LOCALES.len())]
    }

    /// The locale of a country; another one where the country has none here.
    pub(super) fn of(country: Option<&str>) -> &'static Self {
        LOCALES.iter().find(|locale| Some(locale.country) == country).unwrap_or(&LOCALES[0])
    }

    /// A gender and a first name.
    pub(super) fn first_name(&self, rng: &mut Rng) -> (&'static str, &'static str) {
        match rng.u32(..100) {
            0..49 => ("female", pick(rng, self.women)),
            49..98 => ("male", pick(rng, self.men)),
            98 => ("non-binary", pick(rng, self.women)),
            _ => ("non-binary", pick(rng, self.men)),
        }
    }

    pub(super) fn phone(&self, rng: &mut Rng) -> String {
        let (prefix, digits) = self.phone;
        let free = if digits == 2 { 100 } else { 1_000 };
        format!("{prefix}{:0digits$}", rng.u32(..free))
    }
}

/// One of a list that must not be empty.
pub(super) fn pick<T: Copy>(rng: &mut Rng, list: &[T]) -> T {
    list[rng.usize(..list.len())]
}

/// One of a list, chosen by number.
pub(super) fn nth<T: Copy>(list: &[T], nth: u64) -> T {
    let len = list.len() as u64;
    list[usize::try_from(nth % len).unwrap_or(0)]
}

/// A department and a job title in it.
pub(super) fn job(rng: &mut Rng) -> (&'static str, &'static str) {
    let (department, titles) = pick(rng, &JOBS);
    (department, pick(rng, titles))
}

pub(super) fn shirt_size(rng: &mut Rng) -> &'static str {
    pick(rng, &SHIRT_SIZES)
}

pub(super) fn work_domain(seed: u64) -> &'static str {
    nth(&WORK_DOMAINS, seed)
}

pub(super) fn personal_domain(rng: &mut Rng) -> &'static str {
    pick(rng, &PERSONAL_DOMAINS)
}

/// An address from a name and a tag; nobody else has the tag, so nobody else has the address.
pub(super) fn address(first: &str, last: &str, tag: &str, domain: &str) -> String {
    let (mut first, last) = (slug(first), slug(last));
    if first.is_empty() && last.is_empty() {
        first.push_str("person");
    }
    let dot = if first.is_empty() || last.is_empty() { "" } else { "." };
    format!("{first}{dot}{last}.{tag}@{domain}")
}

/// A name in lower-case ASCII letters and digits, cut to what fits into a local part of 64.
fn slug(name: &str) -> String {
    name.chars().filter_map(plain_letter).take(LONGEST_SLUG).collect()
}

fn plain_letter(letter: char) -> Option<char> {
    let plain = match letter {
        'á' | 'à' | 'â' | 'ä' | 'å' | 'Á' | 'Å' => 'a',
        'é' | 'è' | 'ê' | 'ë' | 'É' => 'e',
        'í' | 'ì' | 'î' | 'ï' | 'Í' => 'i',
        'ó' | 'ò' | 'ô' | 'ö' | 'Ó' => 'o',
        'ú' | 'ù' | 'û' | 'ü' => 'u',
        'ñ' => 'n',
        'ç' => 'c',
        'ß' => 's',
        other => other,
    };
    plain.is_ascii_alphanumeric().then(|| plain.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ordinary_names() -> impl Iterator<Item = &'static str> {
        LOCALES.iter().flat_map(|locale| [locale.women, locale.men, locale.last_names]).flatten().copied()
    }

    #[test]
    fn addresses_are_ascii_and_short_whatever_the_name() {
        let awkward = NON_LATIN.iter().chain(&COMBINING).chain(&PUNCTUATED).copied();
        let long = LONG.iter().map(|last| ("Maximiliana", *last));
        let formulas = FORMULAS.iter().map(|first| (*first, "Croft"));
        for (first, last) in awkward.chain(long).chain(formulas) {
            let address = address(first, last, "1234567-1234", "cobalt-bakery.example");
            let (local, domain) = address.split_once('@').unwrap();
            assert!(
                local.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte)),
                "{local}"
            );
            assert!(!local.starts_with('.') && !local.contains(".."), "{local}");
            assert!(local.len() <= 64 && domain.ends_with(".example"));
        }
    }

    #[test]
    fn ordinary_names_are_plain_words_and_keep_every_letter_in_an_address() {
        for name in ordinary_names() {
            assert!(name.chars().all(char::is_alphabetic), "{name}");
            assert!(name.chars().next().is_some_and(char::is_uppercase), "{name}");
            assert_eq!(slug(name).len(), name.chars().count(), "{name}");
        }
    }

    #[test]
    fn long_names_are_longer_than_fifty_letters() {
        assert!(LONG.iter().all(|name| name.chars().filter(|c| c.is_alphabetic()).count() > 50));
    }

    #[test]
    fn every_locale_is_found_by_its_country() {
        assert!(LOCALES.iter().all(|locale| Locale::of(Some(locale.country)).country == locale.country));
    }
}
