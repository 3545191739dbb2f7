sed -i 's/"%d", chosen/"= %d", chosen/' app.cpp
