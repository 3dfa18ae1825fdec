"""Tables of the places where secrets stand: in protocols and files, in logins, in calls and lists, told by people."""
