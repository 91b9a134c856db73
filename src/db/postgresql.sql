-- SPDX-License-Identifier: GPL-3.0-or-later

-- What our statements use of SQLite and PostgreSQL lacks. Run before the migrations, and again when it has changed.

-- COLLATE NOCASE
CREATE COLLATION IF NOT EXISTS nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);

CREATE OR REPLACE FUNCTION unixepoch() RETURNS bigint LANGUAGE sql STABLE AS
    $$ SELECT floor(extract(epoch FROM now()))::bigint $$;

-- '$.a.b[0]': what is there, as text
CREATE OR REPLACE FUNCTION json_extract(document text, path text) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS
    $$ SELECT document::json #>> string_to_array(translate(substr(path, 3), '[]', '.'), '.') $$;

-- The items of an array, or the members of an object, as text
CREATE OR REPLACE FUNCTION json_each(document text) RETURNS TABLE (key text, value text) LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT (i.at - 1)::text, i.item FROM json_array_elements_text(
        CASE WHEN json_typeof(document::json) = 'array' THEN document::json ELSE '[]'::json END) WITH ORDINALITY AS i (item, at)
    UNION ALL
    SELECT m.key, m.value FROM json_each_text(
        CASE WHEN json_typeof(document::json) = 'object' THEN document::json ELSE '{}'::json END) AS m
$$;
