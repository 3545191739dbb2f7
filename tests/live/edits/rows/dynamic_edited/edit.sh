sed -i 's/? "4" :/? "40" :/; s/ + limit/ - limit/' app.cpp
