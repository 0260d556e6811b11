/*
 * A workspace of Ann's and Bob's with a database, for scenarios of tables, fields and rows: tables and fields
 * by their names, and sockets that look at them.
 */
import assert from 'node:assert/strict';
import { Person } from './baserow.js';
import { connect, heard } from './baserow_channel.js';

let count = 0;

export class Grid {
  /* Ann is the workspace's admin, Bob a member, Carol nobody. */
  static async make(server) {
    const grid = new Grid();
    count++;
    const [ann, bob, carol] = await Promise.all(['Ann', 'Bob', 'Carol'].map((name) => Person.register(server, `${name}${count}`)));
    const workspace = await ann.ask('POST', 'workspaces/', { name: 'Acme' });
    const invitation = await ann.ask('POST', `workspaces/invitations/workspace/${workspace.id}/`, { email: bob.email, permissions: 'MEMBER', message: '', base_url: server.url });
    await bob.ask('POST', `workspaces/invitations/${invitation.id}/accept/`);
    const database = await ann.ask('POST', `applications/workspace/${workspace.id}/`, { name: 'CRM', type: 'database' });
    return Object.assign(grid, { server, ann, bob, carol, workspace, database });
  }

  /* A table; rows: texts of its primary field, which is called Name. */
  async table(name, rows = []) {
    const data = [['Name'], ...rows.map((text) => [text])];
    const table = await this.ann.ask('POST', `database/tables/database/${this.database.id}/`, { name, data, first_row_header: true });
    return new Table(this, table);
  }
}

export class Table {
  constructor(grid, table) {
    Object.assign(this, table, { grid, ann: grid.ann, shape: table, rows: `database/rows/table/${table.id}/`, path: `database/tables/${table.id}/` });
  }

  fields() { return this.ann.ask('GET', `database/fields/table/${this.id}/`); }
  async fieldNamed(name) { return (await this.fields()).find((field) => field.name === name); }
  async primary() { return (await this.fields())[0]; }

  /* A new field: the answer to its creation. */
  field(name, type, more = {}, headers = {}) {
    return this.ann.ask('POST', `database/fields/table/${this.id}/`, { name, type, ...more }, headers);
  }
  tryField(body, person = this.ann) { return person.rest('POST', `database/fields/table/${this.id}/`, body); }
  change(field, body, headers = {}) { return this.ann.ask('PATCH', `database/fields/${field.id}/`, body, headers); }
  tryChange(field, body, person = this.ann) { return person.rest('PATCH', `database/fields/${field.id}/`, body); }

  add(cells = {}, headers = {}) { return this.ann.ask('POST', this.rows, cells, headers); }
  tryAdd(cells) { return this.ann.rest('POST', this.rows, cells); }
  edit(id, cells, headers = {}) { return this.ann.ask('PATCH', `${this.rows}${id}/`, cells, headers); }
  tryEdit(id, cells) { return this.ann.rest('PATCH', `${this.rows}${id}/`, cells); }
  read(id) { return this.ann.ask('GET', `${this.rows}${id}/`); }
  /* All cells of a field, in the order of the rows. */
  async cells(field) { return (await this.ann.ask('GET', `${this.rows}?size=200`)).results.map((row) => row[`field_${field.id}`]); }

  /* Somebody's socket that looks at these tables. */
  static async look(person, ...tables) {
    const socket = await connect(person.server, person.token);
    for (const { id } of tables) {
      socket.send({ page: 'table', table_id: id });
      assert.equal((await socket.next('page_add')).type, 'page_add');
    }
    socket.exclude = { WebSocketId: socket.id };
    socket.news = () => heard(socket);
    socket.types = async () => (await heard(socket)).map(({ type, table_id: table, field }) => `${type} ${table ?? field.table_id}`);
    return socket;
  }
}

export const key = (field) => `field_${field.id}`;
export const withoutRelated = ({ related_fields: _, ...field }) => field;
