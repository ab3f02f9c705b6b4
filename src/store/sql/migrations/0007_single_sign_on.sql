-- Who users are at an identity provider: by issuer and subject, never by an e-mail address.

create table user_identity (
    issuer {{id}} not null,
    subject {{id}} not null,
    user_id {{id}} not null,
    created_at {{time}} not null,
    primary key (issuer, subject),
    unique (issuer, user_id),
    foreign key (user_id) references user_account (id)
) {{strict}};

create index invitation_by_email on invitation (email) where closed_at = 0;
