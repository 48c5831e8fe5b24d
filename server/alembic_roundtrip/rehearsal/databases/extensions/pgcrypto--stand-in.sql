-- Made of what PostgreSQL has itself: no SHA-1, no ciphers, no password hashes. Those say so when they
-- are called: a migration that does is not rehearsed, as nothing is known of it.
CREATE FUNCTION gen_random_bytes(integer) RETURNS bytea LANGUAGE sql VOLATILE STRICT PARALLEL SAFE
  AS $$ SELECT substring(string_agg(decode(replace(gen_random_uuid()::text, '-', ''), 'hex'), ''::bytea)
               FROM 1 FOR $1) FROM generate_series(1, $1 / 16 + 1) $$;
CREATE FUNCTION digest(bytea, text) RETURNS bytea LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
  AS $$ BEGIN CASE lower($2) WHEN 'md5' THEN RETURN decode(md5($1), 'hex');
          WHEN 'sha224' THEN RETURN sha224($1); WHEN 'sha256' THEN RETURN sha256($1);
          WHEN 'sha384' THEN RETURN sha384($1); WHEN 'sha512' THEN RETURN sha512($1);
          ELSE RAISE feature_not_supported
            USING MESSAGE = 'the stand-in of `pgcrypto` has no digest() of ' || $2; END CASE; END $$;
CREATE FUNCTION digest(text, text) RETURNS bytea LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
  AS $$ BEGIN CASE lower($2) WHEN 'md5' THEN RETURN decode(md5(convert_to($1, 'UTF8')), 'hex');
          WHEN 'sha224' THEN RETURN sha224(convert_to($1, 'UTF8')); WHEN 'sha256' THEN RETURN sha256(convert_to($1, 'UTF8'));
          WHEN 'sha384' THEN RETURN sha384(convert_to($1, 'UTF8')); WHEN 'sha512' THEN RETURN sha512(convert_to($1, 'UTF8'));
          ELSE RAISE feature_not_supported
            USING MESSAGE = 'the stand-in of `pgcrypto` has no digest() of ' || $2; END CASE; END $$;
CREATE FUNCTION gen_salt(text) RETURNS text
  LANGUAGE plpgsql VOLATILE STRICT PARALLEL SAFE
  AS $$ BEGIN RAISE feature_not_supported
          USING MESSAGE = 'the stand-in of `pgcrypto` has no gen_salt()'; END $$;
CREATE FUNCTION gen_salt(text, integer) RETURNS text
  LANGUAGE plpgsql VOLATILE STRICT PARALLEL SAFE
  AS $$ BEGIN RAISE feature_not_supported
          USING MESSAGE = 'the stand-in of `pgcrypto` has no gen_salt()'; END $$;
CREATE FUNCTION crypt(text, text) RETURNS text
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
  AS $$ BEGIN RAISE feature_not_supported
          USING MESSAGE = 'the stand-in of `pgcrypto` has no crypt()'; END $$;
CREATE FUNCTION hmac(text, text, text) RETURNS bytea
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
  AS $$ BEGIN RAISE feature_not_supported
          USING MESSAGE = 'the stand-in of `pgcrypto` has no hmac()'; END $$;
CREATE FUNCTION hmac(bytea, bytea, text) RETURNS bytea
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
  AS $$ BEGIN RAISE feature_not_supported
          USING MESSAGE = 'the stand-in of `pgcrypto` has no hmac()'; END $$;
CREATE FUNCTION encrypt(bytea, bytea, text) RETURNS bytea
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
  AS $$ BEGIN RAISE feature_not_supported
          USING MESSAGE = 'the stand-in of `pgcrypto` has no encrypt()'; END $$;
CREATE FUNCTION decrypt(bytea, bytea, text) RETURNS bytea
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
  AS $$ BEGIN RAISE feature_not_supported
          USING MESSAGE = 'the stand-in of `pgcrypto` has no decrypt()'; END $$;
CREATE FUNCTION encrypt_iv(bytea, bytea, bytea, text) RETURNS bytea
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
  AS $$ BEGIN RAISE feature_not_supported
          USING MESSAGE = 'the stand-in of `pgcrypto` has no encrypt_iv()'; END $$;
CREATE FUNCTION decrypt_iv(bytea, bytea, bytea, text) RETURNS bytea
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
  AS $$ BEGIN RAISE feature_not_supported
          USING MESSAGE = 'the stand-in of `pgcrypto` has no decrypt_iv()'; END $$;
CREATE FUNCTION pgp_sym_encrypt(text, text) RETURNS bytea
  LANGUAGE plpgsql VOLATILE STRICT PARALLEL SAFE
  AS $$ BEGIN RAISE feature_not_supported
          USING MESSAGE = 'the stand-in of `pgcrypto` has no pgp_sym_encrypt()'; END $$;
CREATE FUNCTION pgp_sym_encrypt(text, text, text) RETURNS bytea
  LANGUAGE plpgsql VOLATILE STRICT PARALLEL SAFE
  AS $$ BEGIN RAISE feature_not_supported
          USING MESSAGE = 'the stand-in of `pgcrypto` has no pgp_sym_encrypt()'; END $$;
CREATE FUNCTION pgp_sym_encrypt_bytea(bytea, text) RETURNS bytea
  LANGUAGE plpgsql VOLATILE STRICT PARALLEL SAFE
  AS $$ BEGIN RAISE feature_not_supported
          USING MESSAGE = 'the stand-in of `pgcrypto` has no pgp_sym_encrypt_bytea()'; END $$;
CREATE FUNCTION pgp_sym_encrypt_bytea(bytea, text, text) RETURNS bytea
  LANGUAGE plpgsql VOLATILE STRICT PARALLEL SAFE
  AS $$ BEGIN RAISE feature_not_supported
          USING MESSAGE = 'the stand-in of `pgcrypto` has no pgp_sym_encrypt_bytea()'; END $$;
CREATE FUNCTION pgp_sym_decrypt(bytea, text) RETURNS text
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
  AS $$ BEGIN RAISE feature_not_supported
          USING MESSAGE = 'the stand-in of `pgcrypto` has no pgp_sym_decrypt()'; END $$;
CREATE FUNCTION pgp_sym_decrypt(bytea, text, text) RETURNS text
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
  AS $$ BEGIN RAISE feature_not_supported
          USING MESSAGE = 'the stand-in of `pgcrypto` has no pgp_sym_decrypt()'; END $$;
CREATE FUNCTION pgp_sym_decrypt_bytea(bytea, text) RETURNS bytea
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
  AS $$ BEGIN RAISE feature_not_supported
          USING MESSAGE = 'the stand-in of `pgcrypto` has no pgp_sym_decrypt_bytea()'; END $$;
CREATE FUNCTION pgp_sym_decrypt_bytea(bytea, text, text) RETURNS bytea
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
  AS $$ BEGIN RAISE feature_not_supported
          USING MESSAGE = 'the stand-in of `pgcrypto` has no pgp_sym_decrypt_bytea()'; END $$;
CREATE FUNCTION pgp_pub_encrypt(text, bytea) RETURNS bytea
  LANGUAGE plpgsql VOLATILE STRICT PARALLEL SAFE
  AS $$ BEGIN RAISE feature_not_supported
          USING MESSAGE = 'the stand-in of `pgcrypto` has no pgp_pub_encrypt()'; END $$;
CREATE FUNCTION pgp_pub_encrypt(text, bytea, text) RETURNS bytea
  LANGUAGE plpgsql VOLATILE STRICT PARALLEL SAFE
  AS $$ BEGIN RAISE feature_not_supported
          USING MESSAGE = 'the stand-in of `pgcrypto` has no pgp_pub_encrypt()'; END $$;
CREATE FUNCTION pgp_pub_encrypt_bytea(bytea, bytea) RETURNS bytea
  LANGUAGE plpgsql VOLATILE STRICT PARALLEL SAFE
  AS $$ BEGIN RAISE feature_not_supported
          USING MESSAGE = 'the stand-in of `pgcrypto` has no pgp_pub_encrypt_bytea()'; END $$;
CREATE FUNCTION pgp_pub_encrypt_bytea(bytea, bytea, text) RETURNS bytea
  LANGUAGE plpgsql VOLATILE STRICT PARALLEL SAFE
  AS $$ BEGIN RAISE feature_not_supported
          USING MESSAGE = 'the stand-in of `pgcrypto` has no pgp_pub_encrypt_bytea()'; END $$;
CREATE FUNCTION pgp_pub_decrypt(bytea, bytea) RETURNS text
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
  AS $$ BEGIN RAISE feature_not_supported
          USING MESSAGE = 'the stand-in of `pgcrypto` has no pgp_pub_decrypt()'; END $$;
CREATE FUNCTION pgp_pub_decrypt(bytea, bytea, text) RETURNS text
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
  AS $$ BEGIN RAISE feature_not_supported
          USING MESSAGE = 'the stand-in of `pgcrypto` has no pgp_pub_decrypt()'; END $$;
CREATE FUNCTION pgp_pub_decrypt(bytea, bytea, text, text) RETURNS text
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
  AS $$ BEGIN RAISE feature_not_supported
          USING MESSAGE = 'the stand-in of `pgcrypto` has no pgp_pub_decrypt()'; END $$;
CREATE FUNCTION pgp_pub_decrypt_bytea(bytea, bytea) RETURNS bytea
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
  AS $$ BEGIN RAISE feature_not_supported
          USING MESSAGE = 'the stand-in of `pgcrypto` has no pgp_pub_decrypt_bytea()'; END $$;
CREATE FUNCTION pgp_pub_decrypt_bytea(bytea, bytea, text) RETURNS bytea
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
  AS $$ BEGIN RAISE feature_not_supported
          USING MESSAGE = 'the stand-in of `pgcrypto` has no pgp_pub_decrypt_bytea()'; END $$;
CREATE FUNCTION pgp_pub_decrypt_bytea(bytea, bytea, text, text) RETURNS bytea
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
  AS $$ BEGIN RAISE feature_not_supported
          USING MESSAGE = 'the stand-in of `pgcrypto` has no pgp_pub_decrypt_bytea()'; END $$;
