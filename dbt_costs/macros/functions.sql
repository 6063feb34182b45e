{# Functions of the database, so that money never goes through a float.
   cost_usd: so many seconds at a price of so many seconds, to the nano-dollar, halves to even, as
   escriba/billing does it.
   share_usd: the part of a sum that lies between two marks of a whole; the parts add up to it.
   believed_micros: a length of time as a worker told it; 0 where it is less than nothing, or longer
   than such a thing can be: a clock was set, or a machine slept. #}
{% macro make_functions() %}
create schema if not exists ledger;
create or replace macro ledger.micros(seconds) as
    (seconds::decimal(28, 6) * 1000000)::hugeint;
create or replace macro ledger.half_even(n, d) as
    n // d + case when 2 * (n % d) > d or (2 * (n % d) = d and (n // d) % 2 = 1)
                  then 1 else 0 end;
create or replace macro ledger.from_nano(nano) as
    (nano::decimal(29, 0) * 0.000000001::decimal(9, 9))::decimal(18, 9);
create or replace macro ledger.to_nano(usd) as
    (usd::decimal(29, 9) * 1000000000)::hugeint;
create or replace macro ledger.cost_of_micros(micros, price, unit_seconds) as
    ledger.from_nano(ledger.half_even(
        micros::hugeint * (price::decimal(18, 12) * 1000000000000)::hugeint,
        unit_seconds::hugeint * 1000000000
    ));
create or replace macro ledger.cost_usd(seconds, price, unit_seconds) as
    ledger.cost_of_micros(ledger.micros(seconds), price, unit_seconds);
create or replace macro ledger.believed_micros(micros, longest_seconds) as
    case when micros between 0 and longest_seconds::bigint * 1000000 then micros else 0 end::bigint;
create or replace macro ledger.share_usd(usd, since, until, whole) as
    ledger.from_nano(
        ledger.to_nano(usd) * until::hugeint // whole::hugeint
        - ledger.to_nano(usd) * since::hugeint // whole::hugeint
    )
{% endmacro %}
