-- Made of what PostgreSQL has itself: no SHA-1, no ciphers, no password hashes.
CREATE FUNCTION gen_random_bytes(integer) RETURNS bytea LANGUAGE sql VOLATILE STRICT PARALLEL SAFE
  AS $$ SELECT substring(string_agg(decode(replace(gen_random_uuid()::text, '-', ''), 'hex'), ''::bytea)
               FROM 1 FOR $1) FROM generate_series(1, $1 / 16 + 1) $$;
CREATE FUNCTION digest(bytea, text) RETURNS bytea LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  AS $$ SELECT CASE lower($2) WHEN 'md5' THEN decode(md5($1), 'hex') WHEN 'sha224' THEN sha224($1)
               WHEN 'sha256' THEN sha256($1) WHEN 'sha384' THEN sha384($1)
               WHEN 'sha512' THEN sha512($1) END $$;
CREATE FUNCTION digest(text, text) RETURNS bytea LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  AS $$ SELECT CASE lower($2) WHEN 'md5' THEN decode(md5(convert_to($1, 'UTF8')), 'hex')
               WHEN 'sha224' THEN sha224(convert_to($1, 'UTF8'))
               WHEN 'sha256' THEN sha256(convert_to($1, 'UTF8'))
               WHEN 'sha384' THEN sha384(convert_to($1, 'UTF8'))
               WHEN 'sha512' THEN sha512(convert_to($1, 'UTF8')) END $$;
