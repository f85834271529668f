//! Personal data that is the same everywhere: addresses, telephones, names, places, devices.

use super::checks;
use super::draw::Draw;
use super::kind::{Kind, another_last_digit};

const FIRST: &[&str] = &[
    "alice",
    "bob",
    "carol",
    "dilip",
    "elena",
    "farid",
    "greta",
    "hiro",
    "ines",
    "jonas",
    "katarzyna",
    "liam",
    "maria",
    "nadia",
    "olu",
    "pierre",
    "qing",
    "rosa",
    "sven",
    "tomas",
];
const LAST: &[&str] = &[
    "smith",
    "jones",
    "garcia",
    "mueller",
    "rossi",
    "kowalski",
    "de.vries",
    "svensson",
    "sharma",
    "silva",
    "tanaka",
    "wang",
    "obrien",
    "dubois",
    "novak",
    "andersson",
    "okafor",
    "khan",
];
const DOMAINS: &[&str] = &[
    "example.com",
    "gmail.com",
    "outlook.com",
    "mail.example.co.uk",
    "web.de",
    "orange.fr",
    "corp.internal-mail.io",
    "uni-bonn.de",
    "qq.com",
    "proton.me",
    "sub.shop.example.org",
    "xn--bcher-kva.example",
    "example.museum",
    "yahoo.co.jp",
];

fn name(draw: &mut Draw) -> (String, String) {
    let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
    let (first, last) = (*draw.pick(FIRST), *draw.pick(LAST));
    (capital(first), capital(&last.replace('.', " ")))
}

fn email(draw: &mut Draw) -> String {
    let (first, last, domain) = (*draw.pick(FIRST), *draw.pick(LAST), *draw.pick(DOMAINS));
    match draw.between(0, 6) {
        0 => format!("{first}@{domain}"),
        1 => format!("{first}_{last}@{domain}"),
        2 => format!("{first}.{last}+{}@{domain}", draw.grown("<l3-8>")),
        3 => format!("{}{}@{domain}", &first[..1], draw.grown("<d1-4>")),
        4 => format!("{}.{}@{domain}", first.to_uppercase(), last.to_uppercase()),
        5 => draw.grown(&format!("{first}-{last}<d2>@<l3-9>.<l4-8>.com")),
        _ => format!("{first}.{last}@{domain}"),
    }
}

fn email_quoted(draw: &mut Draw) -> String {
    let (first, last) = name(draw);
    format!("\"{first} {last}\"@{}", draw.pick(DOMAINS))
}

fn email_international(draw: &mut Draw) -> String {
    let local = draw.pick(&["jürgen", "zoë.k", "josé", "müller", "søren", "用户", "иван"]);
    let domain =
        draw.pick(&["bücher.de", "例え.jp", "example.com", "пример.рф", "münchen.example"]);
    format!("{local}@{domain}")
}

fn phone(draw: &mut Draw) -> String {
    draw.one_of(&[
        "+1415736<d4>",
        "+44 20 7946 0<d3>",
        "+447700900<d3>",
        "+49 30 9018<d4>",
        "+4915123<d6>",
        "+33 6 12 <d2> <d2> <d2>",
        "+33142<d6>",
        "+919876<d6>",
        "+91 98765 4<d4>",
        "+55 11 9<d4>-<d4>",
        "+8613812<d6>",
        "+86 138 1234 <d4>",
        "+81 90-1234-<d4>",
        "+61 412 <d3> <d3>",
        "+39 347 123 <d4>",
        "+34 612 34 <d2> <d2>",
        "+52 55 1234 <d4>",
        "+234 803 123 <d4>",
        "+92 300 123<d4>",
        "+62 812-3456-<d4>",
        "+7 912 345-<d2>-<d2>",
        "+48 601 <d3> <d3>",
        "+31 6 1234<d4>",
        "+46 70 123 <d2> <d2>",
        "+41 79 <d3> 12 <d2>",
        "+90 532 123 <d2> <d2>",
        "+1 (212) 736-<d4>",
        "+1-650-253-<d4>",
        "+353 87 123 <d4>",
        "+43 664 123<d4>",
        "+45 20 12 <d2> <d2>",
        "+65 9123 <d4>",
    ])
}

fn phone_nanp(draw: &mut Draw) -> String {
    draw.one_of(&[
        "(415) 736-<d4>",
        "212-736-<d4>",
        "(650) 253-<d4>",
        "617-253-<d4>",
        "1-800-273-<d4>",
        "(303) 492-<d4>",
        "312-744-<d4>",
    ])
}

fn phone_national(draw: &mut Draw) -> String {
    draw.one_of(&[
        "020 7946 0<d3>",
        "07700 900<d3>",
        "030 9018<d4>",
        "0151 23<d6>",
        "06 12 <d2> <d2> <d2>",
        "98765 4<d4>",
        "(11) 9<d4>-<d4>",
        "138 1234 <d4>",
        "090-1234-<d4>",
        "0803 123 <d4>",
        "0300 123<d4>",
        "0812-3456-<d4>",
        "8 (912) 345-<d2>-<d2>",
        "612 34 <d2> <d2>",
        "347 123 <d4>",
        "4157365<d3>",
        "212.736.<d4>",
        "55 1234 <d4>",
    ])
}

fn birth(draw: &mut Draw) -> String {
    let (year, month, day) =
        (draw.between(1940, 2009), draw.padded(1, 12, 2), draw.padded(1, 28, 2));
    match draw.between(0, 4) {
        0 => format!("{day}/{month}/{year}"),
        1 => format!("{day}.{month}.{year}"),
        2 => format!("{month}/{day}/{year}"),
        _ => format!("{year}-{month}-{day}"),
    }
}

fn place(draw: &mut Draw) -> String {
    let mut degrees = |highest| {
        let sign = if draw.one_in(3) { "-" } else { "" };
        format!("{sign}{}.{}", draw.between(1, highest), draw.grown("<d4-6>"))
    };
    format!("{},{}", degrees(89), degrees(179))
}

fn latitude(draw: &mut Draw) -> String {
    let sign = if draw.one_in(3) { "-" } else { "" };
    format!("{sign}{}.{}", draw.between(1, 89), draw.grown("<d5-6>"))
}

fn full_name(draw: &mut Draw) -> String {
    let (first, last) = name(draw);
    format!("{first} {last}")
}

fn street(draw: &mut Draw) -> String {
    let (_, last) = name(draw);
    let kind = *draw.pick(&["Street", "Road", "Avenue", "Lane"]);
    format!("{} {last} {kind}, {}", draw.between(1, 240), draw.grown("<d5>"))
}

fn ipv4(draw: &mut Draw) -> String {
    let first = *draw.pick(&[10, 34, 52, 81, 104, 172, 185, 192, 203]);
    let mut octet = || draw.between(1, 254);
    format!("{first}.{}.{}.{}", octet(), octet(), octet())
}

fn ipv6(draw: &mut Draw) -> String {
    draw.one_of(&["2001:db8::<h4>", "2a00:1450:4001:<h3>::<h4>", "fe80::<h4>:<h4>:<h4>:<h4>"])
}

fn not_an_octet(draw: &mut Draw, value: &str) -> String {
    let rest = value.split_once('.').map_or("0.0.1", |(_, rest)| rest);
    format!("{}.{rest}", draw.between(256, 999))
}

fn passport(draw: &mut Draw) -> String {
    if draw.one_in(2) {
        return draw.one_of(&["<d9>", "<u1><d7>", "<u1><d8>", "<u2><d7>"]);
    }
    let body = draw.one_of(&["C01X0<N4>", "L01X0<N4>"]);
    format!("{body}{}", checks::icao(&body))
}

/// All of them.
pub(crate) const KINDS: &[Kind] = &[
    Kind::formed(
        "email",
        email,
        &["email", "user", "to", "login", "from"],
        &[
            "user {} logged in",
            "mail to <{}> queued",
            "invitation sent to {}",
            "no account for {}, giving up",
        ],
    ),
    Kind::formed(
        "email_quoted",
        email_quoted,
        &["email", "to"],
        &["mail to <{}> queued", "bounced: {}"],
    )
    .by(&["email"]),
    Kind::formed(
        "email_international",
        email_international,
        &["email", "to"],
        &["mail to <{}> queued", "user {} logged in"],
    )
    .by(&["email"]),
    Kind::formed(
        "phone",
        phone,
        &["phone", "to", "msisdn", "mobile"],
        &["sms to {} queued", "calling {}", "number {} is busy"],
    ),
    Kind::formed(
        "phone_nanp",
        phone_nanp,
        &["phone", "fax", "value"],
        &["sms to {} queued", "calling {}", "call {} back"],
    )
    .by(&["phone"]),
    Kind::formed(
        "phone_national",
        phone_national,
        &["phone", "mobile", "phone_number", "tel"],
        &["phone {}", "tel. {}", "mobile: {}", "phone number {}"],
    )
    .by(&["phone_national", "phone"]),
    Kind::formed(
        "date_of_birth",
        birth,
        &["date_of_birth", "dob", "birth_date", "birthday"],
        &["date of birth {}", "dob: {}"],
    )
    .by(&["date_of_birth", "birth_date"]),
    Kind::formed("gps", place, &["gps", "coordinates", "latlng"], &["gps {}", "coordinates: {}"])
        .by(&["gps", "gps_coordinates", "coordinates", "geo"]),
    Kind::formed("gps_latitude", latitude, &["latitude", "lat", "geo_latitude"], &["latitude {}"])
        .by(&["gps", "gps_coordinates", "coordinates", "geo"]),
    Kind::formed("person_name", full_name, &["full_name", "customer_name", "cardholder_name"], &[])
        .by(&["person_name", "name"]),
    Kind::formed(
        "first_name",
        |draw| name(draw).0,
        &["first_name", "firstName", "given_name"],
        &[],
    )
    .by(&["person_name", "name"]),
    Kind::formed(
        "postal_address",
        street,
        &["street_address", "shipping_address", "billing_address"],
        &[],
    )
    .by(&["postal_address", "address", "street_address"]),
    Kind::checked(
        "ipv4",
        ipv4,
        &["client", "ip", "remote_addr"],
        &["connection from {} refused", "peer {} timed out"],
        not_an_octet,
    ),
    Kind::formed("ipv6", ipv6, &["client", "ip"], &["connection from {} refused", "peer {}"]),
    Kind::formed(
        "mac",
        |draw| draw.one_of(&["00:1b:<h2>:<h2>:<h2>:<h2>", "3C-5A-<H2>-<H2>-<H2>-<H2>"]),
        &["mac", "sta"],
        &["lease for {} given", "station {} left"],
    ),
    Kind::checked(
        "imei",
        |draw| {
            let body = draw.one_of(&["35<d12>", "86<d12>", "01<d12>"]);
            format!("{body}{}", checks::luhn(&body))
        },
        &["imei", "device_imei"],
        &["imei {}", "device IMEI: {}"],
        another_last_digit,
    ),
    Kind::formed(
        "vin",
        |draw| {
            const FORMS: &[&str] =
                &["1HGCM8263_A<d6>", "WBA3A5C5_DF<d6>", "JTDKN3DU_A0<d6>", "5YJSA1E2_HF<d6>"];
            let number = draw.one_of(FORMS);
            let check = checks::vin(&number);
            number.replace('_', &check.to_string())
        },
        &["vin", "vehicle_vin"],
        &["vin {}", "VIN: {}"],
    ),
    Kind::formed(
        "passport",
        passport,
        &["passport", "passport_number"],
        &["passport {}", "passport no. {}"],
    ),
    Kind::formed(
        "driving_licence",
        |draw| draw.one_of(&["MORGA657054SM9<u2>", "D<d7>", "B072RRE2I<d2>"]),
        &["driving_licence", "driver_license", "drivers_license_number"],
        &["driving licence {}", "driver license number: {}"],
    )
    .by(&["driving_licence", "driver_license", "drivers_license"]),
];
