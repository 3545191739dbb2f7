sed -i 's/"%d %d %d %d %d %d %d %d"/"%d, %d, %d, %d, %d, %d, %d, %d"/; s/++calls;/calls += 3;/; s/++counter/counter += 5/' app.cpp
sed -i 's/counter += 2/counter += 7/' app.cpp
