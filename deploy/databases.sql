-- What compose.yaml's PostgreSQL is to have after its first start. Who may use them is decided by who mounts its socket.
create role mattermost login;
create database mattermost owner mattermost;
create role bridge login;
create database bridge owner bridge;
