sed -i 's/number * number + 1/number + 100 + number * 3/; s/number * number - 1/number - 100 - number * 3/' app.cpp
sed -i 's/"%d %d", /"%d %d %s %s", /; s/handlers\[1\](number));/handlers[1](number), handlers[0] == plus ? "same" : "other", handlers[1] == minus ? "same" : "other");/' app.cpp
