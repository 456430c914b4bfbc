-- Run once by the database's administrator on a server of one's own (PostgreSQL 15 or newer).
-- khue_owner owns the schema and migrates; khue_app is what web and worker connect as and owns nothing.
create role khue_owner login nosuperuser nocreatedb nocreaterole nobypassrls;
create role khue_app   login nosuperuser nocreatedb nocreaterole nobypassrls;
create database khue owner khue_owner encoding 'UTF8' template template0;
revoke all on database khue from public;
grant connect, temporary on database khue to khue_app;  -- it stages rows of imports and closings in temporary tables
\connect khue
alter schema public owner to khue_owner;
-- Set both passwords with \password, which keeps them out of the logs.
