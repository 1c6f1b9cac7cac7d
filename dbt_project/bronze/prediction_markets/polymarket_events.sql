with landed as (
    {{ new_landed_records("polymarket_events") }}
),

read_fields as (
    select
        landed.*,
        {{ json_fields("payload", [
            "id", "slug", "title", "description", "category", "tags", "series", "negRisk",
            "negRiskAugmented", "active", "closed", "startDate", "endDate", "updatedAt",
        ]) }} as field,
    from landed
),

typed as (
    select
        record_number,
        record_id,
        external_id as event_id,
        field.slug,
        field.title,
        nullif(field.description, '') as description,
        nullif(field.category, '') as category,
        list_transform(
            json_extract(try_cast(field.tags as json), '$[*].label'), lambda label: label ->> '$'
        ) as tags,
        coalesce(try_cast(field.series as json) ->> '$[0].id', parent_id) as series_id,
        {{ as_boolean("field.negRisk") }} as is_negative_risk,
        {{ as_boolean("field.negRiskAugmented") }} as is_negative_risk_augmented,
        {{ as_boolean("field.active") }} as is_active,
        {{ as_boolean("field.closed") }} as is_closed,
        {{ as_utc("field.startDate") }} as start_at,
        {{ as_utc("field.endDate") }} as end_at,
        {{ as_utc("field.updatedAt") }} as updated_at,
        fetched_at,
        source,
        load_id,
        is_gone,
        {{ rejections([
            reject_missing_id("id", "field.id"),
            reject_missing("title", "field.title"),
            reject_not_text("title", "payload"),
            reject_untyped("negRisk", "field.negRisk", as_boolean("field.negRisk"), "true or false"),
            reject_untyped("endDate", "field.endDate", as_utc("field.endDate"), "a time"),
        ]) }} as rejections,
    from read_fields
)

select * from typed
