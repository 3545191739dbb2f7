sed -i 's/^int limit.*/&\nint other = start(std::getenv("HOME") != nullptr ? "7" : "8");/; s/ + limit/ + limit + other/' app.cpp
