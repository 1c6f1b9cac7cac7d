{#- Says at once which var cannot be, or is none of ours: dbt passes over a name that nobody reads, and a
    word in the place of a number is an error of some model's SQL. The vars of the order flow, the bars and
    the days are checked where they are read. -#}
{% macro check_vars() %}
    {%- set whole = {
        "maximum_pairs_of_a_key": 1, "maximum_candidates": 1, "maximum_common_words": 0, "maximum_pairs_of_words": 1,
        "judged_open_pairs": 0, "maximum_watched_tokens": 0, "maximum_contracts": 1,
        "maximum_quote_age_seconds": 0, "maximum_listing_age_seconds": 0, "expired_days": 0,
        "maximum_filled_days": 0, "longest_silence_seconds": 1, "limit_rows": 0,
        "order_book_depth": 1, "order_book_interval_ms": 0,
    } -%}
    {%- set fractions = {"minimum_margin": -1, "suspicious_edge": 0} -%}
    {%- set others = [
        "as_of", "matches_closed_listings", "judges_labels", "labels_written_on", "labels_file", "quality_floors",
        "bar_durations_seconds", "exchange", "symbol", "start_date", "end_date",
        "order_book_shown_levels", "order_book_feature_groups", "order_flow_windows", "order_flow_levels",
        "order_flow_level_decay", "order_flow_maximum_age_seconds", "order_flow_bucket_volumes",
        "order_flow_bucket_volume", "order_flow_bucket_share", "order_flow_buckets", "order_flow_waits_for_trades",
    ] -%}
    {%- for name in invocation_args_dict.get("vars") or {}
        if name not in whole and name not in fractions and name not in others %}
        {{ exceptions.raise_compiler_error(
            name ~ " is not a var of this project: dbt_project.yml has them all, and what each is."
        ) }}
    {%- endfor %}
    {%- for name, least in whole.items()
        if not modules.re.fullmatch("\\d+", var(name) | string) or var(name) | int < least %}
        {{ exceptions.raise_compiler_error(name ~ ": " ~ var(name) ~ " is not a whole number from " ~ least ~ ".") }}
    {%- endfor %}
    {%- for name, least in fractions.items()
        if not modules.re.fullmatch("-?\\d+(\\.\\d*)?(e-?\\d+)?", var(name) | string) or var(name) | float < least %}
        {{ exceptions.raise_compiler_error(name ~ ": " ~ var(name) ~ " is not a number from " ~ least ~ ", such as 0.02.") }}
    {%- endfor %}
{% endmacro %}
