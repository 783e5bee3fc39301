"""The pure part of provisioning: the desired state, the state of the servers, and the steps from one to the other."""
